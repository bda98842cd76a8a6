//! Keys and values of the positions that a layer can still see.

/// Positions of a panel.
pub(crate) const POSITIONS: usize = 16;
/// Width of a head.
pub(crate) const HEAD: usize = 64;

/// Keys and values of 16 positions (those with equal `position / 16`) of one head, in the order that the kernels read them.
#[derive(Clone)]
#[repr(C, align(64))]
pub(crate) struct Panel {
    /// `[dimension / 4][position][dimension mod 4]`, as a packed matrix.
    pub keys: [[[i8; 4]; POSITIONS]; HEAD / 4],
    /// `[position / 2][dimension][position mod 2]`: multiplied in pairs of positions.
    pub values: [[[i8; 2]; HEAD]; POSITIONS / 2],
    /// −128 times the sum of each key's elements: what a product with a query plus 128 is too large by.
    pub key_excess: [i32; POSITIONS],
    pub key_scales: [f32; POSITIONS],
    pub value_scales: [f32; POSITIONS],
}

impl Panel {
    pub const EMPTY: Panel = Panel {
        keys: [[[0; 4]; POSITIONS]; HEAD / 4],
        values: [[[0; 2]; HEAD]; POSITIONS / 2],
        key_excess: [0; POSITIONS],
        key_scales: [0.0; POSITIONS],
        value_scales: [0.0; POSITIONS],
    };
}

/// The rings of panels of one head of a layer, one for each stream: position `t` lies in panel `t / 16 mod ring`.
pub(crate) struct Cache {
    panels: Vec<Panel>,
    ring: usize,
    pub window: usize,
}

impl Cache {
    pub const PANEL_BYTES: u64 = size_of::<Panel>() as u64;

    /// Panels that a ring needs when up to `block` positions are added before the oldest of them looks back over the window.
    pub fn ring(window: usize, block: usize) -> usize {
        // The window and block cover at most this many positions, which may begin anywhere in a panel.
        (window + block - 1 + POSITIONS - 1)
            .div_ceil(POSITIONS)
            .max(1)
    }

    pub fn new(streams: usize, window: usize, block: usize) -> Cache {
        let ring = Cache::ring(window, block);
        Cache {
            panels: vec![Panel::EMPTY; streams * ring],
            ring,
            window,
        }
    }

    /// Bytes of all rings.
    pub fn bytes(&self) -> usize {
        self.panels.len() * size_of::<Panel>()
    }

    pub fn ring_of(&self, stream: usize) -> &[Panel] {
        &self.panels[stream * self.ring..][..self.ring]
    }

    /// Puts a position's key and value into its place, over what fell out of the window.
    pub fn put(&mut self, stream: usize, position: u64, key: (&[i8], f32), value: (&[i8], f32)) {
        let panel = (position / POSITIONS as u64 % self.ring as u64) as usize;
        let at = (position % POSITIONS as u64) as usize;
        let panel = &mut self.panels[stream * self.ring + panel];
        for (quad, from) in panel.keys.iter_mut().zip(key.0.as_chunks::<4>().0) {
            quad[at] = *from;
        }
        for (to, &from) in panel.values[at / 2].iter_mut().zip(value.0) {
            to[at % 2] = from;
        }
        panel.key_excess[at] = -128 * key.0.iter().copied().map(i32::from).sum::<i32>();
        panel.key_scales[at] = key.1;
        panel.value_scales[at] = value.1;
    }
}
