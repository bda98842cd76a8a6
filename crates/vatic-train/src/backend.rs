//! The backends of burn that were built in.

use burn::tensor::Device;

/// Which of burn's CPU backends computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// burn-flex, the faster one.
    #[cfg(feature = "flex")]
    Flex,
    /// burn-ndarray, the older one.
    #[cfg(feature = "ndarray")]
    Ndarray,
}

impl Backend {
    /// All that were built in, best first.
    pub const ALL: &[Self] = &[
        #[cfg(feature = "flex")]
        Self::Flex,
        #[cfg(feature = "ndarray")]
        Self::Ndarray,
    ];

    /// The device of this backend, without gradients.
    pub fn device(self) -> Device {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Device::flex(),
            // burn calls it deprecated in favour of flex; as long as it is there, people may want to compare.
            #[cfg(feature = "ndarray")]
            #[expect(deprecated)]
            Self::Ndarray => Device::ndarray(),
        }
    }
}

impl Default for Backend {
    fn default() -> Self {
        Self::ALL[0]
    }
}
