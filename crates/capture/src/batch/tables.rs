//! The tables that capture writes; names and types are compared with `sylph.tables` at the start.

use super::{Boolean, Int64, Text, Time64, Uint128, table};

table! {
    /// Collects rows of `http_events`.
    HttpEvents of HttpRow, "http_events" {
        time_: Time64,
        upid: Uint128,
        remote_addr: Text,
        remote_port: Int64,
        local_addr: Text,
        local_port: Int64,
        trace_role: Int64,
        encrypted: Boolean,
        major_version: Int64,
        minor_version: Int64,
        content_type: Int64,
        req_headers: Text,
        req_method: Text,
        req_path: Text,
        req_body: Text,
        req_body_size: Int64,
        resp_headers: Text,
        resp_status: Int64,
        resp_message: Text,
        resp_body: Text,
        resp_body_size: Int64,
        latency: Int64,
    }
}

table! {
    /// Collects rows of `conn_stats`.
    ConnStats of ConnStatsRow, "conn_stats" {
        time_: Time64,
        upid: Uint128,
        remote_addr: Text,
        remote_port: Int64,
        trace_role: Int64,
        addr_family: Int64,
        protocol: Int64,
        ssl: Boolean,
        conn_open: Int64,
        conn_close: Int64,
        conn_active: Int64,
        bytes_sent: Int64,
        bytes_recv: Int64,
    }
}

table! {
    /// Collects rows of `process_stats`.
    ProcessStats of ProcessStatsRow, "process_stats" {
        time_: Time64,
        upid: Uint128,
        major_faults: Int64,
        minor_faults: Int64,
        cpu_utime_ns: Int64,
        cpu_ktime_ns: Int64,
        num_threads: Int64,
        vsize_bytes: Int64,
        rss_bytes: Int64,
        rchar_bytes: Int64,
        wchar_bytes: Int64,
        read_bytes: Int64,
        write_bytes: Int64,
    }
}

table! {
    /// Collects rows of `network_stats`.
    NetworkStats of NetworkStatsRow, "network_stats" {
        time_: Time64,
        pod_id: Text,
        rx_bytes: Int64,
        rx_packets: Int64,
        rx_errors: Int64,
        rx_drops: Int64,
        tx_bytes: Int64,
        tx_packets: Int64,
        tx_errors: Int64,
        tx_drops: Int64,
    }
}

table! {
    /// Collects rows of `proc_exit_events`.
    ProcExitEvents of ProcExitRow, "proc_exit_events" {
        time_: Time64,
        upid: Uint128,
        exit_code: Int64,
        signal: Int64,
        comm: Text,
    }
}

table! {
    /// Collects rows of `capture_loss`.
    CaptureLoss of LossRow, "capture_loss" {
        time_: Time64,
        upid: Uint128,
        table_name: Text,
        cause: Text,
        events: Int64,
        bytes: Int64,
    }
}
