//! Quantiles as functions of DuckDB, made known to every database that this process opens from then on.
//!
//! Aggregates: `sylph_digest(DOUBLE)` and `sylph_digest_to_send(DOUBLE)` give a BLOB, `sylph_digest_merge(BLOB)` one of
//! many. Scalars: `sylph_quantiles(BLOB)` gives JSON text, `sylph_quantile(BLOB, DOUBLE)` a number; `sylph_release()`
//! frees the digests of its database, see `Home`.
//!
//! DuckDB is the library that Python has loaded; its stable C API is looked up in it. These aggregates must not be used
//! with `OVER ()` or `ORDER BY` in the call: DuckDB 1.5 then passes fewer states than rows (its issue 26109).

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

use sylph_kernels::quantiles::Digest;

const DOUBLE: c_int = 11;
const VARCHAR: c_int = 17;
const BLOB: c_int = 18;

const QUANTILES: [f64; 7] = [0.01, 0.10, 0.25, 0.50, 0.75, 0.90, 0.99];
const KEYS: [&str; 7] = ["p01", "p10", "p25", "p50", "p75", "p90", "p99"];

/// A handle of DuckDB's.
type Handle = *mut c_void;
type State = *mut Cell;

type Scalar = unsafe extern "C" fn(Handle, Handle, Handle);
type Update = unsafe extern "C" fn(Handle, Handle, *const State);
type Finalize = unsafe extern "C" fn(Handle, *const State, Handle, u64, u64);

/// Functions of DuckDB's C API, by their names there.
macro_rules! api {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        struct Api { $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)* }

        impl Api {
            /// # Safety
            /// `library` is DuckDB's, opened with dlopen.
            unsafe fn load(library: *mut c_void) -> Result<Self, String> {
                Ok(Self { $($name: {
                    let name = concat!("duckdb_", stringify!($name));
                    // SAFETY: the name ends with a zero byte.
                    let symbol = unsafe { libc::dlsym(library, concat!("duckdb_", stringify!($name), "\0").as_ptr().cast()) };
                    if symbol.is_null() {
                        return Err(format!("this DuckDB has no function {name}"));
                    }
                    // SAFETY: the function has this signature in all versions of the C API since 1.2.
                    unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>(symbol) }
                },)* })
            }
        }
    };
}

api! {
    register_static_extension: fn(unsafe extern "C" fn(*mut Descriptor) -> i32) -> i32;
    connect: fn(Handle, *mut Handle) -> c_int;
    disconnect: fn(*mut Handle);
    create_logical_type: fn(c_int) -> Handle;
    destroy_logical_type: fn(*mut Handle);
    data_chunk_get_size: fn(Handle) -> u64;
    data_chunk_get_vector: fn(Handle, u64) -> Handle;
    vector_get_data: fn(Handle) -> *mut c_void;
    vector_get_validity: fn(Handle) -> *const u64;
    vector_assign_string_element_len: fn(Handle, u64, *const c_char, u64);
    create_aggregate_function: fn() -> Handle;
    destroy_aggregate_function: fn(*mut Handle);
    aggregate_function_set_name: fn(Handle, *const c_char);
    aggregate_function_add_parameter: fn(Handle, Handle);
    aggregate_function_set_return_type: fn(Handle, Handle);
    aggregate_function_set_special_handling: fn(Handle);
    aggregate_function_set_extra_info: fn(Handle, *mut c_void, unsafe extern "C" fn(*mut c_void));
    aggregate_function_get_extra_info: fn(Handle) -> *mut c_void;
    aggregate_function_set_functions: fn(
        Handle,
        unsafe extern "C" fn(Handle) -> u64,
        unsafe extern "C" fn(Handle, State),
        Update,
        unsafe extern "C" fn(Handle, *const State, *const State, u64),
        Finalize
    );
    aggregate_function_set_destructor: fn(Handle, unsafe extern "C" fn(*const State, u64));
    aggregate_function_set_error: fn(Handle, *const c_char);
    register_aggregate_function: fn(Handle, Handle) -> c_int;
    create_scalar_function: fn() -> Handle;
    destroy_scalar_function: fn(*mut Handle);
    scalar_function_set_name: fn(Handle, *const c_char);
    scalar_function_add_parameter: fn(Handle, Handle);
    scalar_function_set_return_type: fn(Handle, Handle);
    scalar_function_set_special_handling: fn(Handle);
    scalar_function_set_volatile: fn(Handle);
    scalar_function_set_extra_info: fn(Handle, *mut c_void, unsafe extern "C" fn(*mut c_void));
    scalar_function_get_extra_info: fn(Handle) -> *mut c_void;
    scalar_function_set_function: fn(Handle, Scalar);
    scalar_function_set_error: fn(Handle, *const c_char);
    register_scalar_function: fn(Handle, Handle) -> c_int;
}

/// The digests of one database, in a list.
///
/// DuckDB does not destroy states of groups that nobody reads: after a limit, an error or a cancelled query (2.0).
/// `release` frees them when no query runs. Lives as long as the process: DuckDB may still destroy a state afterwards.
struct Home {
    /// Counts releases: a state of an earlier one has lost its digest.
    epoch: AtomicU64,
    first: Mutex<First>,
}

struct First(*mut Node);

// SAFETY: the nodes of the list are changed only by who has the lock of their `Home`, or the state that they belong to.
unsafe impl Send for First {}

/// A digest in the list of its home.
struct Node {
    digest: Digest,
    before: *mut Node,
    after: *mut Node,
}

/// A state, in DuckDB's memory. `node` is null until there is a number.
#[repr(C)]
struct Cell {
    node: *mut Node,
    home: &'static Home,
    epoch: u64,
}

impl Cell {
    /// # Safety
    /// Its query runs: nothing has been released since it was made.
    unsafe fn digest(&self) -> Option<&Digest> {
        // SAFETY: what is not null came out of a box, and is freed by `destroy` or after the query.
        unsafe { self.node.as_ref() }.map(|node| &node.digest)
    }
}

impl Home {
    fn first(&self) -> std::sync::MutexGuard<'_, First> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self) -> *mut Node {
        let mut first = self.first();
        let node = Box::into_raw(Box::new(Node {
            digest: Digest::default(),
            before: null_mut(),
            after: first.0,
        }));
        // SAFETY: the list holds nodes that came out of a box and were not freed; the lock is held.
        if let Some(after) = unsafe { first.0.as_mut() } {
            after.before = node;
        }
        first.0 = node;
        node
    }

    /// Frees a node. Returns how many bytes its digest took.
    ///
    /// # Safety
    /// `first` is the start of the list that the node is in.
    unsafe fn remove(first: &mut First, node: *mut Node) -> usize {
        // SAFETY: the caller's; its neighbours are in the list, too.
        unsafe {
            let node = Box::from_raw(node);
            match node.before.as_mut() {
                Some(before) => before.after = node.after,
                None => first.0 = node.after,
            }
            if let Some(after) = node.after.as_mut() {
                after.before = node.before;
            }
            node.digest.memory()
        }
    }

    /// Frees all digests. No query may run in the database.
    fn release(&self) {
        let mut first = self.first();
        self.epoch.fetch_add(1, Relaxed);
        let mut freed = 0;
        loop {
            let node = first.0;
            if node.is_null() {
                break;
            }
            // SAFETY: it is the first of the list.
            freed += unsafe { Self::remove(&mut first, node) };
        }
        hold(-freed.cast_signed());
    }
}

static API: OnceLock<Api> = OnceLock::new();
/// Bytes of the digests of all queries. DuckDB's own bound does not see them.
static HELD: AtomicUsize = AtomicUsize::new(0);
/// Bytes beyond which no digest grows.
static MOST: AtomicUsize = AtomicUsize::new(0);

/// `duckdb_extension_descriptor`, layout 1; DuckDB offers at least as much room.
#[repr(C)]
struct Descriptor {
    version: u32,
    set_error: *mut c_void,
    internal: *mut c_void,
    name: *const c_char,
    extension_version: *const c_char,
    api_version: *const c_char,
    entry_cpp: *mut c_void,
    entry_capi_v1: Option<unsafe extern "C" fn(Handle, *const Access) -> bool>,
    entry_capi_v2: *mut c_void,
}

/// `duckdb_extension_access`.
#[repr(C)]
struct Access {
    set_error: unsafe extern "C" fn(Handle, *const c_char),
    get_database: unsafe extern "C" fn(Handle) -> *mut Handle,
    get_api: *mut c_void,
}

/// Makes the functions known to databases that are opened from now on. `library`: the path of DuckDB's, which is loaded.
/// `memory`: bytes that all digests together may take. Calling it again changes only that.
pub(crate) fn register(library: &CStr, memory: usize) -> Result<(), String> {
    MOST.store(memory, Relaxed);
    if API.get().is_some() {
        return Ok(());
    }
    // SAFETY: the path ends with a zero byte; nothing is loaded that is not loaded already.
    let handle = unsafe { libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
    if handle.is_null() {
        return Err(format!("DuckDB is not loaded from {}", library.to_string_lossy()));
    }
    // SAFETY: just opened, and never closed.
    let loaded = unsafe { Api::load(handle) }?;
    let api = API.get_or_init(|| loaded);
    // SAFETY: `describe` has the signature asked for and lives as long as the process.
    match unsafe { (api.register_static_extension)(describe) } {
        0 => Ok(()),
        _ => Err("DuckDB refuses the functions for quantiles".to_owned()),
    }
}

unsafe extern "C" fn describe(descriptor: *mut Descriptor) -> i32 {
    // SAFETY: DuckDB passes a descriptor that is filled with zeros, but for what it offers.
    let descriptor = unsafe { &mut *descriptor };
    descriptor.version = 1;
    descriptor.name = c"sylph".as_ptr();
    descriptor.extension_version = concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast();
    descriptor.api_version = c"v1.2.0".as_ptr();
    descriptor.entry_capi_v1 = Some(enter);
    0
}

/// Called for each database that is opened.
unsafe extern "C" fn enter(info: Handle, access: *const Access) -> bool {
    let Some(api) = API.get() else { return false };
    // SAFETY: DuckDB's own functions and handles, valid during this call; what is created here is destroyed here.
    unsafe {
        let database = ((*access).get_database)(info);
        let mut connection = null_mut();
        if database.is_null() || (api.connect)(*database, &raw mut connection) != 0 {
            return false;
        }
        let home: &'static Home = Box::leak(Box::new(Home {
            epoch: AtomicU64::new(0),
            first: Mutex::new(First(null_mut())),
        }));
        let aggregate = |name, parameter, update, finalize| {
            api.aggregate(connection, home, name, parameter, update, finalize)
        };
        let scalar =
            |name, parameters, result, call| api.scalar(connection, home, name, parameters, result, call);
        let made = aggregate(c"sylph_digest", DOUBLE, update, finalize)
            && aggregate(c"sylph_digest_to_send", DOUBLE, update, finalize_to_send)
            && aggregate(c"sylph_digest_merge", BLOB, update_with_bytes, finalize)
            && scalar(c"sylph_quantiles", &[BLOB], VARCHAR, quantiles)
            && scalar(c"sylph_quantile", &[BLOB, DOUBLE], DOUBLE, quantile)
            && scalar(c"sylph_release", &[], DOUBLE, release);
        (api.disconnect)(&raw mut connection);
        if !made {
            ((*access).set_error)(info, c"the functions for quantiles could not be created".as_ptr());
        }
        made
    }
}

impl Api {
    /// # Safety
    /// `connection` is open; the callbacks take a `parameter`.
    unsafe fn aggregate(
        &self,
        connection: Handle,
        home: &'static Home,
        name: &CStr,
        parameter: c_int,
        update: Update,
        finalize: Finalize,
    ) -> bool {
        // SAFETY: handles are used between their creation and destruction; DuckDB copies names and types.
        unsafe {
            let mut function = (self.create_aggregate_function)();
            (self.aggregate_function_set_name)(function, name.as_ptr());
            let mut kind = (self.create_logical_type)(parameter);
            (self.aggregate_function_add_parameter)(function, kind);
            (self.destroy_logical_type)(&raw mut kind);
            let mut kind = (self.create_logical_type)(BLOB);
            (self.aggregate_function_set_return_type)(function, kind);
            (self.destroy_logical_type)(&raw mut kind);
            (self.aggregate_function_set_special_handling)(function);
            (self.aggregate_function_set_extra_info)(function, address(home), forget);
            (self.aggregate_function_set_functions)(function, state_size, init, update, combine, finalize);
            (self.aggregate_function_set_destructor)(function, destroy);
            let made = (self.register_aggregate_function)(connection, function) == 0;
            (self.destroy_aggregate_function)(&raw mut function);
            made
        }
    }

    /// # Safety
    /// `connection` is open; the callback takes the `parameters` and gives a `result`.
    unsafe fn scalar(
        &self,
        connection: Handle,
        home: &'static Home,
        name: &CStr,
        parameters: &[c_int],
        result: c_int,
        call: Scalar,
    ) -> bool {
        // SAFETY: as in `aggregate`.
        unsafe {
            let mut function = (self.create_scalar_function)();
            (self.scalar_function_set_name)(function, name.as_ptr());
            for &parameter in parameters {
                let mut kind = (self.create_logical_type)(parameter);
                (self.scalar_function_add_parameter)(function, kind);
                (self.destroy_logical_type)(&raw mut kind);
            }
            let mut kind = (self.create_logical_type)(result);
            (self.scalar_function_set_return_type)(function, kind);
            (self.destroy_logical_type)(&raw mut kind);
            (self.scalar_function_set_special_handling)(function);
            (self.scalar_function_set_extra_info)(function, address(home), forget);
            if parameters.is_empty() {
                (self.scalar_function_set_volatile)(function);
            }
            (self.scalar_function_set_function)(function, call);
            let made = (self.register_scalar_function)(connection, function) == 0;
            (self.destroy_scalar_function)(&raw mut function);
            made
        }
    }

    /// Column `at` of a chunk, which DuckDB has made flat.
    ///
    /// # Safety
    /// `T` is the column's type as DuckDB holds it; the chunk outlives what is returned.
    unsafe fn column<'a, T>(&self, chunk: Handle, at: u64) -> Column<'a, T> {
        // SAFETY: a flat vector has a value for each row of its chunk; its validity is null or has a bit for each.
        unsafe {
            let vector = (self.data_chunk_get_vector)(chunk, at);
            let rows = (self.data_chunk_get_size)(chunk) as usize;
            Column {
                values: slice((self.vector_get_data)(vector).cast_const().cast(), rows),
                validity: slice_or_none((self.vector_get_validity)(vector), rows.div_ceil(64)),
            }
        }
    }
}

/// # Safety
/// As of `slice::from_raw_parts`, but that nothing is at `data` when there are no rows.
unsafe fn slice<'a, T>(data: *const T, rows: usize) -> &'a [T] {
    // SAFETY: the caller's.
    unsafe { slice_or_none(data, rows) }.unwrap_or_default()
}

/// # Safety
/// As of `slice::from_raw_parts`, but for null.
unsafe fn slice_or_none<'a, T>(data: *const T, rows: usize) -> Option<&'a [T]> {
    // SAFETY: the caller's.
    (!data.is_null() && rows > 0).then(|| unsafe { std::slice::from_raw_parts(data, rows) })
}

struct Column<'a, T> {
    values: &'a [T],
    validity: Option<&'a [u64]>,
}

impl<T> Column<'_, T> {
    fn get(&self, row: usize) -> Option<&T> {
        let valid = self
            .validity
            .is_none_or(|bits| bits[row / 64] >> (row % 64) & 1 == 1);
        valid.then(|| &self.values[row])
    }
}

/// `duckdb_string_t`: up to 12 bytes are in it, more are where its second half points.
#[repr(C, align(8))]
struct Bytes {
    length: u32,
    inlined: [u8; 4],
    rest: [u8; 8],
}

impl Bytes {
    /// # Safety
    /// It is in a vector of DuckDB's.
    unsafe fn get(&self) -> &[u8] {
        let length = self.length as usize;
        let start = if length <= 12 {
            self.inlined.as_ptr()
        } else {
            usize::from_ne_bytes(self.rest) as *const u8
        };
        // SAFETY: DuckDB keeps as many bytes there as long as the vector; the inlined ones go on in `rest`.
        unsafe { std::slice::from_raw_parts(start, length) }
    }
}

fn address(home: &'static Home) -> *mut c_void {
    std::ptr::from_ref(home).cast_mut().cast()
}

/// Called when a function goes, with its database.
unsafe extern "C" fn forget(home: *mut c_void) {
    // SAFETY: of `address`.
    unsafe { &*home.cast_const().cast::<Home>() }.release();
}

/// Changes the digest of a state, which is made when it is first needed. Returns by how many bytes it grew.
///
/// # Safety
/// `state` was made by `init` and not destroyed; nobody else uses it meanwhile.
unsafe fn change<T>(state: State, how: impl FnOnce(&mut Digest) -> T) -> (T, isize) {
    // SAFETY: the caller's; what is not null came out of a box.
    let (digest, before) = unsafe {
        let cell = &mut *state;
        let mut before = 0;
        if cell.node.is_null() {
            cell.node = cell.home.add();
        } else {
            before = (*cell.node).digest.memory();
        }
        (&mut (*cell.node).digest, before)
    };
    let done = how(digest);
    (done, digest.memory().cast_signed() - before.cast_signed())
}

/// Counts what digests grew by; false when all of them take too much.
fn hold(grown: isize) -> bool {
    // Adding a negative number wraps to where subtracting goes.
    let before = HELD.fetch_add(grown.cast_unsigned(), Relaxed);
    before.wrapping_add_signed(grown) <= MOST.load(Relaxed)
}

/// Bytes of all digests that exist.
pub(crate) fn held() -> usize {
    HELD.load(Relaxed)
}

fn too_much() -> CString {
    let mib = MOST.load(Relaxed) >> 20;
    CString::new(format!("quantiles of so many groups need more than {mib} MiB")).unwrap_or_default()
}

unsafe extern "C" fn state_size(_info: Handle) -> u64 {
    size_of::<Cell>() as u64
}

unsafe extern "C" fn init(info: Handle, state: State) {
    let Some(api) = API.get() else { return };
    // SAFETY: the extra info is of `address`; DuckDB gives room for `state_size` bytes.
    unsafe {
        let home = &*(api.aggregate_function_get_extra_info)(info)
            .cast_const()
            .cast::<Home>();
        state.write(Cell {
            node: null_mut(),
            home,
            epoch: home.epoch.load(Relaxed),
        });
    }
}

unsafe extern "C" fn destroy(states: *const State, count: u64) {
    let mut freed = 0;
    // SAFETY: DuckDB destroys each state once; all are of one database.
    unsafe {
        let states = slice(states, count as usize);
        let Some(&one) = states.first() else { return };
        let home = (*one).home;
        let mut first = home.first();
        let epoch = home.epoch.load(Relaxed);
        for &state in states {
            let cell = &mut *state;
            if cell.epoch == epoch && !cell.node.is_null() {
                freed += Home::remove(&mut first, cell.node);
            }
            cell.node = null_mut();
        }
    }
    hold(-freed.cast_signed());
}

unsafe extern "C" fn update(info: Handle, chunk: Handle, states: *const State) {
    let Some(api) = API.get() else { return };
    // SAFETY: the column is DOUBLE, and there is a state for each row.
    unsafe {
        let column = api.column::<f64>(chunk, 0);
        let mut grown = 0;
        for (row, &state) in slice(states, column.values.len()).iter().enumerate() {
            if let Some(&value) = column.get(row) {
                grown += change(state, |digest| digest.add(value)).1;
            }
        }
        if !hold(grown) {
            (api.aggregate_function_set_error)(info, too_much().as_ptr());
        }
    }
}

unsafe extern "C" fn update_with_bytes(info: Handle, chunk: Handle, states: *const State) {
    let Some(api) = API.get() else { return };
    // SAFETY: the column is BLOB, and there is a state for each row.
    unsafe {
        let column = api.column::<Bytes>(chunk, 0);
        let (mut grown, mut wrong) = (0, None);
        for (row, &state) in slice(states, column.values.len()).iter().enumerate() {
            if let Some(bytes) = column.get(row) {
                let (merged, more) = change(state, |digest| digest.merge_bytes(bytes.get()));
                grown += more;
                if let Err(error) = merged {
                    wrong = Some(complaint(error));
                    break;
                }
            }
        }
        if !hold(grown) {
            wrong.get_or_insert_with(too_much);
        }
        if let Some(wrong) = wrong {
            (api.aggregate_function_set_error)(info, wrong.as_ptr());
        }
    }
}

fn complaint(wrong: &str) -> CString {
    CString::new(format!("a state of quantiles is {wrong}")).unwrap_or_default()
}

unsafe extern "C" fn combine(info: Handle, sources: *const State, targets: *const State, count: u64) {
    let Some(api) = API.get() else { return };
    let mut grown = 0;
    // SAFETY: as many sources as targets, each a state, and none is both.
    unsafe {
        let targets = slice(targets, count as usize);
        for (&source, &target) in slice(sources, count as usize).iter().zip(targets) {
            if let Some(source) = (*source).digest() {
                grown += change(target, |digest| digest.merge(source)).1;
            }
        }
        if !hold(grown) {
            (api.aggregate_function_set_error)(info, too_much().as_ptr());
        }
    }
}

/// # Safety
/// As `Finalize`.
unsafe fn write(
    states: *const State,
    result: Handle,
    count: u64,
    offset: u64,
    encode: fn(&Digest, &mut Vec<u8>),
) {
    let Some(api) = API.get() else { return };
    let (mut bytes, none) = (Vec::new(), Digest::default());
    // SAFETY: `result` is a BLOB vector with room for `offset + count` rows; DuckDB copies the bytes.
    unsafe {
        for (row, &state) in (offset..).zip(slice(states, count as usize)) {
            bytes.clear();
            encode((*state).digest().unwrap_or(&none), &mut bytes);
            (api.vector_assign_string_element_len)(result, row, bytes.as_ptr().cast(), bytes.len() as u64);
        }
    }
}

unsafe extern "C" fn finalize(_info: Handle, states: *const State, result: Handle, count: u64, offset: u64) {
    // SAFETY: DuckDB's arguments.
    unsafe { write(states, result, count, offset, Digest::encode) };
}

unsafe extern "C" fn finalize_to_send(
    _info: Handle,
    states: *const State,
    result: Handle,
    count: u64,
    offset: u64,
) {
    // SAFETY: DuckDB's arguments.
    unsafe { write(states, result, count, offset, Digest::encode_to_send) };
}

/// Calls `each` with the digest of each row, empty where there is none.
///
/// # Safety
/// As `Scalar`; column 0 is BLOB.
unsafe fn digests(info: Handle, chunk: Handle, mut each: impl FnMut(&Api, usize, &Digest)) {
    let Some(api) = API.get() else { return };
    // SAFETY: the caller's.
    unsafe {
        let column = api.column::<Bytes>(chunk, 0);
        for row in 0..column.values.len() {
            let mut digest = Digest::default();
            if let Some(bytes) = column.get(row)
                && let Err(wrong) = digest.merge_bytes(bytes.get())
            {
                (api.scalar_function_set_error)(info, complaint(wrong).as_ptr());
                return;
            }
            each(api, row, &digest);
        }
    }
}

unsafe extern "C" fn quantiles(info: Handle, chunk: Handle, result: Handle) {
    use std::fmt::Write;

    let mut text = String::new();
    // SAFETY: the column is BLOB, the result VARCHAR with room for its rows; DuckDB copies the text.
    unsafe {
        digests(info, chunk, |api, row, digest| {
            text.clear();
            let values = digest.quantiles(QUANTILES).unwrap_or_default();
            for (key, value) in KEYS.iter().zip(values) {
                let separator = if text.is_empty() { '{' } else { ',' };
                // Writing to a string cannot fail.
                let _ = write!(text, "{separator}\"{key}\":{value:?}");
            }
            text.push('}');
            (api.vector_assign_string_element_len)(
                result,
                row as u64,
                text.as_ptr().cast(),
                text.len() as u64,
            );
        });
    }
}

unsafe extern "C" fn quantile(info: Handle, chunk: Handle, result: Handle) {
    let Some(api) = API.get() else { return };
    // SAFETY: the columns are BLOB and DOUBLE, the result DOUBLE with room for as many rows.
    unsafe {
        let fractions = api.column::<f64>(chunk, 1);
        let values = (api.vector_get_data)(result).cast::<f64>();
        digests(info, chunk, |_, row, digest| {
            let q = fractions.get(row).copied().unwrap_or_default();
            let [value] = digest.quantiles([q]).unwrap_or_default();
            *values.add(row) = value;
        });
    }
}

unsafe extern "C" fn release(info: Handle, chunk: Handle, result: Handle) {
    let Some(api) = API.get() else { return };
    // SAFETY: the extra info is of `address`, the result DOUBLE with room for as many rows.
    unsafe {
        (*(api.scalar_function_get_extra_info)(info)
            .cast_const()
            .cast::<Home>())
        .release();
        let values = (api.vector_get_data)(result).cast::<f64>();
        for row in 0..(api.data_chunk_get_size)(chunk) as usize {
            *values.add(row) = 0.0;
        }
    }
}
