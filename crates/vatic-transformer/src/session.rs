mod forward;

use crate::aligned::Aligned;
use crate::attention::{ROWS, Scratch};
use crate::cache::{Cache, HEAD};
use crate::kernels::{self, Kernel, KernelName};
use crate::numerics::Quantised;
use crate::split;
use crate::team::{self, Fed, Member};
use crate::watch::{Part, Watch};
use crate::{Error, Model, Predictions};
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

/// Bytes of keys and values from which on steps fetch them ahead: with eight streams of `base` (3.2 MB) it is a tenth faster, with sixteen of
/// `swift` (2.8 MB) a fiftieth slower.
const FAR: usize = 3 << 20;

/// One token fed to one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The stream, counted from 0.
    pub stream: usize,
    /// The token's id.
    pub token: u16,
}

/// Predictions for a number of independent streams of tokens, each with its own past.
///
/// A call feeds tokens and computes, after each of them, the weights of all groups of tokens that may come next (and, with
/// [`Leaves`](crate::Leaves), those of a group's tokens). Tokens of one stream in
/// one call are successive; how tokens are grouped into calls never changes a result. A session is `Send`: to use several
/// threads, give each its own session with some of the streams. Calls allocate next to nothing.
pub struct Session {
    model: Arc<Model>,
    kernel: &'static dyn Kernel,
    block: usize,
    positions: Vec<u64>,
    /// For each head of each layer. Nobody waits for a lock: in a team each head has one member at a time that computes it.
    caches: Arc<[Vec<RwLock<Cache>>]>,
    /// Whether all of them are so large that what a step needs of them is better asked for ahead.
    far: bool,
    keep_scores: bool,
    left_out: Option<Part>,
    watch: Option<Watch>,
    /// Shares its heads and matrices with other sessions.
    team: Option<Member>,
    /// Shares its rows with other sessions.
    split: Option<split::Member>,
    buffers: Buffers,
    /// Results of the calls that bring no room for them.
    predictions: Predictions,
}

/// Working memory; each holds its number of values per row, row after row, unless said otherwise.
struct Buffers {
    /// The rows of the call.
    places: Vec<Fed>,
    /// The rows that this session computes, all unless they are split. Everything below but `cos` and `sin` is of these alone.
    own: Range<usize>,
    /// The rows, those of one stream together: what attention reads of its past stays in the nearest cache.
    by_stream: Vec<u32>,
    /// The residual stream.
    x: Aligned<f32>,
    /// The embedding.
    e: Aligned<f32>,
    qkv: Aligned<f32>,
    /// A team member's part of the queries, keys or values.
    part: Aligned<f32>,
    attended: Aligned<f32>,
    hidden: Aligned<f32>,
    cos: Aligned<f32>,
    sin: Aligned<f32>,
    /// Quantised input of the next product, and one number for each row.
    levels: Aligned<i8>,
    rows: Vec<Quantised>,
    /// One head (key or value), the query heads of a few rows that share it, and what attention makes of them.
    key: [i8; HEAD],
    value: [i8; HEAD],
    queries: Aligned<i8>,
    query_scales: Aligned<f32>,
    results: Aligned<f32>,
    attention: Scratch,
    /// Scores of all groups for all rows, if they are kept.
    scores: Aligned<f32>,
}

impl Session {
    /// A session of `streams` streams, each of which takes at most `block` tokens per call.
    ///
    /// Memory is about `streams · Σ (window + block) · kv_heads · 136` bytes for the past, and
    /// `40 · streams · block · width` bytes for the rows of a call, and `4 · groups` bytes for each row's weights.
    ///
    /// # Errors
    /// [`Error::Rows`] if `streams · block` is 0 or more than 4096; [`Error::Kernel`] if `VATIC_KERNEL` names no kernel.
    pub fn new(model: &Arc<Model>, streams: usize, block: usize) -> Result<Session, Error> {
        Session::with_kernel(model, streams, block, kernels::best()?)
    }

    /// So many sessions that compute the same rows together, each on a thread of its own: each reads its part of the weights, and of the past, for
    /// all rows. The first is given the rows and has the results. The others have to be called with no rows, again and again until a call
    /// fails: each waits for the first's next call that is shared, and takes part in it. It is faster where rows are so few that a call takes as long
    /// as reading the weights does; every now and then it is timed whether it is, and otherwise the first computes its rows alone. The
    /// results are the same.
    ///
    /// When one of them is dropped or fails, the team is over: calls of the others fail with [`Error::Team`] then.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use vatic_transformer::{Config, Error, Model, ModelFile, Session};
    /// # let config = Config { name: "tiny".into(), vocab: 512, groups: 128, width: 64, layers: 2, heads: 2, kv_heads: 1, hidden: 128,
    /// #     windows: vec![16, 32], rope_dims: 32, rope_period: 64, ..Config::default() };
    /// # let model = Arc::new(Model::from_bytes(&ModelFile::random(&config, 1).to_bytes()?)?);
    /// let mut others = Session::team(&model, 2, 1, 1)?;
    /// let mut first = others.remove(0);
    /// let together = std::thread::scope(|scope| {
    ///     for mut other in others {
    ///         scope.spawn(move || while other.step(&[]).is_ok() {});
    ///     }
    ///     for token in [0, 1, 2] {
    ///         first.step(&[token])?;
    ///     }
    ///     let result = first.predictions().groups(0).to_vec();
    ///     drop(first); // At which the others end, too.
    ///     Ok::<_, Error>(result)
    /// })?;
    /// let mut alone = Session::new(&model, 1, 3)?;
    /// alone.prefill(0, &[0, 1, 2])?;
    /// assert_eq!(together, alone.predictions().groups(2));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Session::new`].
    pub fn team(
        model: &Arc<Model>,
        members: usize,
        streams: usize,
        block: usize,
    ) -> Result<Vec<Session>, Error> {
        let kernel = kernels::best()?;
        let caches = Session::caches(model, streams, block)?;
        (team::members(members))
            .map(|member| {
                let caches = Arc::clone(&caches);
                let mut session = Session::with_caches(model, streams, block, kernel, caches);
                session.buffers.part = Aligned::new(streams * block * model.config.qkv_rows());
                session.team = Some(member);
                Ok(session)
            })
            .collect()
    }

    /// So many sessions that split the rows of every call between them: all of them have to make the same calls at the same time, each
    /// on a thread of its own, and each computes [its part](Session::part) of the rows; predictions are of those. Each has the whole past. That is how
    /// several threads can take successive tokens of one stream.
    ///
    /// When a session is dropped, the others cannot go on.
    ///
    /// # Errors
    /// Those of [`Session::new`], for any of them.
    pub fn split(
        model: &Arc<Model>,
        members: usize,
        streams: usize,
        block: usize,
    ) -> Result<Vec<Session>, Error> {
        let kernel = kernels::best()?;
        split::members(members)
            .map(|member| {
                let mut session = Session::with_kernel(model, streams, block, kernel)?;
                session.split = Some(member);
                Ok(session)
            })
            .collect()
    }

    /// Which of a call's rows this session computes: all, unless they are [split](Session::split).
    pub fn part(&self, rows: usize) -> Range<usize> {
        self.split
            .as_ref()
            .map_or(0..rows, |member| member.part(rows))
    }

    /// A session that computes with a given kernel, one of [`kernels::names`].
    ///
    /// # Errors
    /// Those of [`Session::new`].
    pub fn with_kernel_named(
        model: &Arc<Model>,
        streams: usize,
        block: usize,
        name: &str,
    ) -> Result<Session, Error> {
        Session::with_kernel(model, streams, block, kernels::named(name)?)
    }

    fn with_kernel(
        model: &Arc<Model>,
        streams: usize,
        block: usize,
        kernel: &'static dyn Kernel,
    ) -> Result<Session, Error> {
        let caches = Session::caches(model, streams, block)?;
        Ok(Session::with_caches(model, streams, block, kernel, caches))
    }

    /// The memory in bytes that a session of these rows takes, nearly all of it: rings of keys and values, and what is computed for each
    /// row. Known before any of it is allocated.
    ///
    /// ```
    /// # use vatic_transformer::{Config, Session};
    /// let config = Config::default();
    /// assert!(Session::memory(&config, 16, 1) > 15 * Session::memory(&config, 1, 1));
    /// ```
    pub fn memory(config: &crate::Config, streams: usize, block: usize) -> u64 {
        let ring = |&window: &usize| Cache::ring(window, block) as u64 * Cache::PANEL_BYTES;
        let rings: u64 = config.windows.iter().map(ring).sum();
        let row = 12 * config.width + 2 * config.qkv_rows() + 8 * config.hidden + config.groups;
        let rows = (streams as u64).saturating_mul(block as u64);
        (streams as u64)
            .saturating_mul(rings * config.kv_heads as u64)
            .saturating_add(rows.saturating_mul(4 * row as u64))
    }

    fn caches(
        model: &Model,
        streams: usize,
        block: usize,
    ) -> Result<Arc<[Vec<RwLock<Cache>>]>, Error> {
        if !(1..=4096).contains(&streams.saturating_mul(block)) {
            return Err(Error::Rows("streams times block must be in 1..=4096"));
        }
        let config = &model.config;
        let cache = |window| RwLock::new(Cache::new(streams, window, block));
        let heads = |&window| (0..config.kv_heads).map(|_| cache(window)).collect();
        Ok(config.windows.iter().map(heads).collect())
    }

    fn with_caches(
        model: &Arc<Model>,
        streams: usize,
        block: usize,
        kernel: &'static dyn Kernel,
        caches: Arc<[Vec<RwLock<Cache>>]>,
    ) -> Session {
        let rows = streams * block;
        let config = &model.config;
        let heads = config.heads * HEAD;
        let panels = config
            .windows
            .iter()
            .map(|&window| Cache::ring(window, block))
            .max();
        let bytes: usize = (caches.iter().flatten())
            .map(|cache| write(cache).bytes())
            .sum();
        Session {
            kernel,
            block,
            positions: vec![0; streams],
            far: bytes >= FAR,
            caches,
            keep_scores: false,
            left_out: None,
            watch: None,
            team: None,
            split: None,
            buffers: Buffers {
                places: Vec::with_capacity(rows),
                own: 0..0,
                by_stream: Vec::with_capacity(rows),
                x: Aligned::new(rows * config.width),
                e: Aligned::new(rows * config.width),
                qkv: Aligned::new(rows * config.qkv_rows()),
                part: Aligned::default(),
                attended: Aligned::new(rows * heads),
                hidden: Aligned::new(rows * config.hidden),
                cos: Aligned::new(rows * config.rope_dims / 2),
                sin: Aligned::new(rows * config.rope_dims / 2),
                levels: Aligned::new(rows * config.width.max(config.hidden).max(heads)),
                rows: vec![Quantised::default(); rows],
                key: [0; HEAD],
                value: [0; HEAD],
                queries: Aligned::new(ROWS * heads),
                query_scales: Aligned::new(ROWS * config.heads),
                results: Aligned::new(ROWS * heads),
                attention: Scratch::new(panels.unwrap_or(1)),
                scores: Aligned::default(),
            },
            predictions: Predictions::default(),
            model: Arc::clone(model),
        }
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The kernel in use.
    pub fn kernel(&self) -> KernelName {
        self.kernel.name()
    }

    /// Number of tokens that a stream has been fed.
    pub fn position(&self, stream: usize) -> u64 {
        self.positions[stream]
    }

    /// Forgets a stream's past: it is as new.
    pub fn reset(&mut self, stream: usize) {
        self.positions[stream] = 0;
    }

    /// Whether [`Session::scores`] are kept from now on (they are not at first).
    pub fn keep_scores(&mut self, keep: bool) {
        self.keep_scores = keep;
        let rows = if keep {
            self.positions.len() * self.block
        } else {
            0
        };
        self.buffers.scores.resize(rows * self.model.config.groups);
    }

    /// Computes as if a part had learnt nothing, or again with all of them: predictions are those of a model whose matrix from that
    /// part to the residual stream has only zeros. A part that does not exist changes nothing.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use vatic_transformer::{Config, Model, ModelFile, Part, Session};
    /// # let config = Config { name: "tiny".into(), vocab: 512, groups: 128, width: 64, layers: 2, heads: 2, kv_heads: 1, hidden: 128,
    /// #     windows: vec![16, 32], rope_dims: 32, rope_period: 64, ..Config::default() };
    /// # let model = Arc::new(Model::from_bytes(&ModelFile::random(&config, 1).to_bytes()?)?);
    /// let mut session = Session::new(&model, 1, 2)?;
    /// session.prefill(0, &[0, 1])?;
    /// let whole = session.predictions().groups(1).to_vec();
    /// session.reset(0);
    /// session.leave_out(Some(Part::Head { layer: 0, head: 1 }));
    /// session.prefill(0, &[0, 1])?;
    /// assert_ne!(session.predictions().groups(1), whole);
    /// # Ok::<(), vatic_transformer::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the session belongs to a team, whose members would have to leave it out together.
    pub fn leave_out(&mut self, part: Option<Part>) {
        assert!(self.team.is_none(), "a team leaves nothing out");
        self.left_out = part;
    }

    /// Whether attention is watched from now on (it is not at first; calls take several times as long).
    ///
    /// # Panics
    /// If the session belongs to a team.
    pub fn watch_attention(&mut self, watch: bool) {
        assert!(self.team.is_none(), "a team's attention is not watched");
        let config = &self.model.config;
        self.watch = watch.then(|| Watch::new(&config.windows, config.heads));
    }

    /// The attention that a head has paid, by distance: element `d` is the sum, over all tokens fed since attention is
    /// [watched](Session::watch_attention), of the softmax's weight of the token `d` places back (0: itself). All together are
    /// the number of tokens.
    ///
    /// # Panics
    /// If attention is not watched, or there is no such head.
    pub fn attention_by_distance(&self, layer: usize, head: usize) -> &[f64] {
        let watch = self.watch.as_ref().expect("attention is watched");
        watch.of(layer, head)
    }

    /// Feeds one token to each of the first `tokens.len()` streams; row `s` of the results belongs to stream `s`.
    ///
    /// # Errors
    /// Those of [`Session::advance`].
    pub fn step(&mut self, tokens: &[u16]) -> Result<(), Error> {
        self.feed((tokens.iter().enumerate()).map(|(stream, &token)| Row { stream, token }))
    }

    /// Feeds successive tokens to one stream; row `i` of the results is the prediction after `tokens[i]`.
    ///
    /// # Errors
    /// Those of [`Session::advance`].
    pub fn prefill(&mut self, stream: usize, tokens: &[u16]) -> Result<(), Error> {
        self.feed(tokens.iter().map(|&token| Row { stream, token }))
    }

    /// Feeds tokens to streams; row `i` of the results is the prediction of stream `rows[i].stream` after `rows[i].token`.
    ///
    /// # Errors
    /// [`Error::Token`] if a token is not one of the model's; [`Error::Rows`] if a stream does not exist or has more than
    /// `block` rows. Nothing has been fed then.
    pub fn advance(&mut self, rows: &[Row]) -> Result<(), Error> {
        self.feed(rows.iter().copied())
    }

    /// Feeds tokens to streams as [`Session::advance`] does, and puts the results into `predictions`, which other threads can use:
    /// nothing is copied.
    ///
    /// # Errors
    /// Those of [`Session::advance`]; `predictions` has no rows then. [`Error::Team`] if another session of a team has ended;
    /// nothing more can be predicted then.
    pub fn predict(&mut self, rows: &[Row], predictions: &mut Predictions) -> Result<(), Error> {
        self.compute(rows.iter().copied(), predictions)
    }

    /// The results of the last call (but of [`Session::predict`]).
    pub fn predictions(&self) -> &Predictions {
        &self.predictions
    }

    /// The scores (logits) of all groups after row `row` of the last call, in bits: natural logits times log₂e.
    ///
    /// # Panics
    /// If the last call had no such row, or scores were not [kept](Session::keep_scores).
    pub fn scores(&self, row: usize) -> &[f32] {
        assert!(row < self.buffers.own.len(), "row {row} was not computed");
        assert!(self.keep_scores, "scores are not kept");
        &self.buffers.scores[row * self.model.config.groups..][..self.model.config.groups]
    }

    fn feed(&mut self, rows: impl ExactSizeIterator<Item = Row> + Clone) -> Result<(), Error> {
        let mut predictions = std::mem::take(&mut self.predictions);
        let result = self.compute(rows, &mut predictions);
        self.predictions = predictions;
        result
    }

    fn compute(
        &mut self,
        rows: impl ExactSizeIterator<Item = Row> + Clone,
        predictions: &mut Predictions,
    ) -> Result<(), Error> {
        predictions.clear();
        let result = self.place(rows).and_then(|()| self.begin());
        let result = result.and_then(|()| self.layers(predictions));
        if result.is_err() {
            predictions.clear();
            // The others cannot go on without this session's part.
            if let Some(member) = &self.team {
                member.leave();
            }
            if let Some(member) = &self.split {
                member.leave();
            }
        }
        result
    }

    /// Agrees with the team on what is computed: a member that does not lead has no rows until now.
    fn begin(&mut self) -> Result<(), Error> {
        let Some(member) = &mut self.team else {
            return Ok(());
        };
        let places = &mut self.buffers.places;
        if member.leads() {
            return member.lead(places);
        }
        if !places.is_empty() {
            return Err(Error::Rows("a team's first session takes all rows"));
        }
        member.follow(places)?;
        for &(stream, position, _) in places.iter() {
            self.positions[stream] = position + 1;
        }
        self.arrange();
        Ok(())
    }

    /// Checks the rows and gives each its position.
    fn place(&mut self, rows: impl ExactSizeIterator<Item = Row>) -> Result<(), Error> {
        let vocab = self.model.config.vocab;
        let places = &mut self.buffers.places;
        places.clear();
        let mut error = None;
        if rows.len() > self.positions.len() * self.block {
            return Err(Error::Rows("more than all streams take in one call"));
        }
        for Row { stream, token } in rows {
            let Some(position) = self.positions.get_mut(stream) else {
                error = Some(Error::Rows("there is no such stream"));
                break;
            };
            if usize::from(token) >= vocab {
                error = Some(Error::Token { token, vocab });
                break;
            }
            places.push((stream, *position, token));
            *position += 1;
        }
        for &(stream, position, _) in places.iter() {
            if self.positions[stream] > position + self.block as u64 {
                error = Some(Error::Rows(
                    "a stream takes more tokens in one call than the session's block",
                ));
                break;
            }
        }
        let Some(error) = error else {
            self.arrange();
            return Ok(());
        };
        for &(stream, ..) in places.iter() {
            self.positions[stream] -= 1;
        }
        places.clear();
        Err(error)
    }

    /// Finds out which of the call's rows are computed here, and in which order their attention is.
    fn arrange(&mut self) {
        self.buffers.own = self.part(self.buffers.places.len());
        let Buffers {
            places,
            own,
            by_stream,
            ..
        } = &mut self.buffers;
        by_stream.clear();
        by_stream.extend(0..own.len() as u32);
        by_stream.sort_unstable_by_key(|&row| places[own.start + row as usize]);
    }
}

fn write(cache: &RwLock<Cache>) -> RwLockWriteGuard<'_, Cache> {
    cache.write().unwrap_or_else(PoisonError::into_inner)
}
