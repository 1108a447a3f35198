// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Birth, programs and end of processes, so that one which lives 5 ms still has a name.
#include "maps.h"

char LICENSE[] SEC("license") = "GPL";

#define SIGNAL_GROUP_EXIT 4

struct exit_key {
    __u64 start_ns;
    __u64 tgid;
};
// The last threads of a process may end at the same time on several CPUs; the first one reports.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct exit_key);
    __type(value, __u8);
} exited SEC(".maps");

static __always_inline void describe(struct sylph_exec *e, struct task_struct *task, __u8 kind) {
    e->kind = kind;
    e->tgid = task->tgid;
    e->ppid = task->real_parent->tgid;
    e->netns = task->nsproxy->net_ns->ns.inum;
    e->start_ns = task->group_leader->start_boottime;
    e->time_ns = bpf_ktime_get_ns();
    e->cgroup_id = bpf_get_current_cgroup_id();
    bpf_probe_read_kernel(e->comm, sizeof(e->comm), task->comm);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, int old_pid, struct linux_binprm *program) {
    struct sylph_exec e = {};
    describe(&e, task, SYLPH_EV_EXEC);
    bpf_probe_read_kernel_str(e.filename, sizeof(e.filename), program->filename);
    output_lifecycle(&e, sizeof(e));
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child) {
    if (child->pid != child->tgid) // a thread
        return 0;
    struct sylph_exec e = {};
    describe(&e, child, SYLPH_EV_FORK);
    output_lifecycle(&e, sizeof(e));
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task) {
    if (task->signal->live.counter) // other threads go on
        return 0;
    struct task_struct *leader = task->group_leader;
    struct exit_key key = {leader->start_boottime, task->tgid};
    __u8 one = 1;
    if (bpf_map_update_elem(&exited, &key, &one, BPF_NOEXIST))
        return 0;
    struct sylph_exit e = {};
    e.kind = SYLPH_EV_EXIT;
    e.tgid = task->tgid;
    e.start_ns = key.start_ns;
    e.time_ns = bpf_ktime_get_ns();
    // As wait(2) reports it.
    e.exit_code = task->signal->flags & SIGNAL_GROUP_EXIT ? task->signal->group_exit_code : leader->exit_code;
    bpf_probe_read_kernel(e.comm, sizeof(e.comm), leader->comm);
    output_lifecycle(&e, sizeof(e));
    return 0;
}
