//! The distinct labels of a push: each pair of a name and a value once.

use hashbrown::HashTable;
use pushgate_plugin::{Family, LabelName, Push, Sym};

use crate::fates::Fates;

/// The distinct labels of a push, in the order in which they come.
pub(crate) struct Pairs<'p> {
    pub(crate) names: Vec<LabelName<'p>>,
    pub(crate) pairs: Vec<Pair>,
    /// By symbol: which of the names it is.
    numbers: Vec<u32>,
    /// By symbol: the first of the pairs with such a value, from 1 on. Nearly every value belongs to one name only.
    firsts: Vec<u32>,
    /// The other pairs.
    others: HashTable<u32>,
}

/// A label that one or more series have.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    /// Which of the names.
    pub(crate) name: u32,
    pub(crate) value: Sym,
    /// The first series that has it.
    pub(crate) series: u32,
}

/// There are more distinct labels than can be judged within the fuel that a gateway allows for a push: this many may be,
/// and some for each series. Labels that mean something have a few values, on many series.
pub(crate) struct TooMany {
    pub(crate) most: usize,
}

const PAIRS: usize = 5_000;
const PAIRS_PER_SERIES: usize = 16;

impl<'p> Pairs<'p> {
    /// Those of the series that are left.
    pub(crate) fn read(push: &'p Push, fates: &Fates) -> Result<Self, TooMany> {
        let most = PAIRS + PAIRS_PER_SERIES * push.series_count();
        let names: Vec<_> = push.label_names().collect();
        let mut numbers = vec![0; push.symbol_count()];
        names.iter().zip(0..).for_each(|(name, number)| numbers[name.sym().index()] = number);
        let firsts = vec![0; push.symbol_count()];
        let mut read = Self { names, pairs: Vec::new(), numbers, firsts, others: HashTable::new() };
        for series in push.families().flat_map(Family::series) {
            if fates.is_dropped(series) {
                continue;
            }
            for (name, value) in series.label_syms() {
                if value != Sym::EMPTY && read.find(name, value).is_none() {
                    read.insert(name, value, series.index() as u32);
                }
            }
            if read.pairs.len() > most {
                return Err(TooMany { most });
            }
        }
        Ok(read)
    }

    /// The pair that a label is. An empty value is no label.
    #[inline]
    pub(crate) fn find(&self, name: Sym, value: Sym) -> Option<usize> {
        let first = *self.firsts.get(value.index())?;
        let pair = (first as usize).checked_sub(1)?;
        let number = self.numbers[name.index()];
        if self.pairs[pair].name == number {
            return Some(pair);
        }
        let is_it = |other: &u32| {
            let other = self.pairs[*other as usize];
            other.name == number && other.value == value
        };
        self.others.find(hash(number, value), is_it).map(|pair| *pair as usize)
    }

    fn insert(&mut self, name: Sym, value: Sym, series: u32) {
        let number = self.numbers[name.index()];
        let pair = self.pairs.len() as u32;
        self.pairs.push(Pair { name: number, value, series });
        let first = &mut self.firsts[value.index()];
        if *first == 0 {
            *first = pair + 1;
        } else {
            let rehash = |pair: &u32| {
                let Pair { name, value, .. } = self.pairs[*pair as usize];
                hash(name, value)
            };
            self.others.insert_unique(hash(number, value), pair, rehash);
        }
    }

    /// The numbers of the pairs by name, in the order in which they came, and where those of each name end.
    pub(crate) fn by_name(&self) -> (Vec<usize>, Vec<usize>) {
        let mut ends = vec![0; self.names.len()];
        self.pairs.iter().for_each(|pair| ends[pair.name as usize] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        // Each is where the next pair of its name goes, and so, in the end, where they end.
        let mut order = vec![0; self.pairs.len()];
        for (pair, Pair { name, .. }) in self.pairs.iter().enumerate() {
            let next = &mut ends[*name as usize];
            order[*next] = pair;
            *next += 1;
        }
        (order, ends)
    }
}

/// Numbers that follow each other are far apart.
#[inline]
fn hash(name: u32, value: Sym) -> u64 {
    let key = u64::from(name) << 32 | value.index() as u64;
    let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ hash >> 32
}
