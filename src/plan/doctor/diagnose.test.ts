import assert from 'node:assert/strict';
import test from 'node:test';
import { diagnose } from './diagnose.ts';
import type { MachineFacts, RefusedTrial, SystemFacts } from './facts.ts';
import type { MachineFinding } from './finding.ts';
import { type MachineChange, machineWith, ROOT_MACHINE, refused, userMachine } from './testing/machines.ts';

function finding(facts: MachineFacts, name: string): MachineFinding {
	const found = diagnose(facts).findings.find((each) => each.name === name);
	assert.ok(found, name);
	return found;
}

test('a machine that allows everything has no finding to act on', () => {
	const { canRunJobs, findings, level } = diagnose(ROOT_MACHINE);
	assert.deepEqual([canRunJobs, level], [true, 'root']);
	assert.deepEqual(
		findings.filter(({ status }) => status !== 'ok'),
		[],
	);
});

test('a refused box names the file that refuses it, and the command that changes that', () => {
	const userns = 'kernel.unprivileged_userns_clone';
	const appArmor = 'kernel.apparmor_restrict_unprivileged_userns';
	const filtered = { hasSeccompFilter: true, outer: 'docker' } as const;
	const rows: readonly (readonly [RefusedTrial, Partial<SystemFacts>, because: RegExp, fix: RegExp])[] = [
		[
			refused('ENOSYS'),
			filtered,
			/seccomp.*ENOSYS to clone3/,
			/^docker run --security-opt seccomp=unconfined/,
		],
		[refused('ENOSYS'), { kernel: '4.19' }, /kernel 4\.19 has no clone3/, /newer kernel/],
		[
			refused('ENOSPC'),
			{ sysctls: { 'user.max_user_namespaces': '0' } },
			/\/proc\/sys\/user\/max_user_namespaces is 0/,
			/^echo user\.max_user_namespaces=15000 \|/,
		],
		[
			refused('ENOSPC'),
			{ sysctls: { 'user.max_user_namespaces': '9', 'user.max_pid_namespaces': '0' } },
			/max_pid_namespaces is 0/,
			/user\.max_pid_namespaces=15000/,
		],
		[
			refused('ENOSPC'),
			{ sysctls: { 'user.max_user_namespaces': '100' } },
			/limit in .*max_user_namespaces/,
			/max_user_namespaces=200/,
		],
		[refused('EPERM'), { sysctls: { [userns]: '0' } }, /unprivileged_userns_clone is 0/, /userns_clone=1 \|/],
		[
			refused('EPERM'),
			{ sysctls: { [appArmor]: '1' } },
			/AppArmor lets only/,
			/restrict_unprivileged_userns=0/,
		],
		[refused('EACCES', 'mount'), { sysctls: { [appArmor]: '1' } }, /AppArmor lets only/, /userns=0/],
		[refused('EPERM'), filtered, /\(seccomp\) applies to stint/, /seccomp=unconfined/],
		[
			refused('EPERM'),
			{ ...filtered, outer: 'kubernetes' },
			/seccomp/,
			/securityContext\.seccompProfile\.type: Unconfined/,
		],
		[
			refused('EACCES', 'mount'),
			{ ...filtered, appArmorProfile: 'docker-default' },
			/profile docker-default/,
			/apparmor=unconfined/,
		],
		[refused('EINVAL'), {}, /built without it/, /^$/],
		[refused('EPERM', 'setgroups'), {}, /no file of this machine says why \(EPERM at setgroups\)/, /^$/],
	];
	for (const [refusal, system, because, fix] of rows) {
		const found = finding(userMachine(system, refusal), 'containers');
		assert.equal(found.status, 'limited');
		assert.match(found.because ?? '', because);
		assert.match((found.fix ?? []).join('\n'), fix);
		assert.match(found.because ?? '', new RegExp(`\\(${refusal.code} at ${refusal.step}\\)$`));
	}
});

test('where only chroot is allowed, the level is named, and a missing right of root where it is not', () => {
	const system = { hasSeccompFilter: true, outer: 'docker' } as const;
	const none = { level: 'none', box: refused('ENOSYS'), processes: refused('ENOSYS') } as const;
	const engine = { problem: 'there is no engine' };
	const allowed = { ...none, level: 'chroot', chroot: { kind: 'allowed' } } as const;
	const facts = machineWith({ system, engine, isolation: allowed });
	const { found, because, fix } = finding(facts, 'containers');
	assert.match(found, /\(level chroot\)$/);
	assert.match(because ?? '', /ENOSYS to clone3/);
	assert.match(fix?.join() ?? '', /seccomp=unconfined/);
	assert.equal(finding(facts, 'chroot').status, 'ok');
	assert.match(finding(facts, 'runtimes').found, /^process, sandbox \(level chroot\) /);
	assert.equal(diagnose(facts).level, 'chroot');
	const without = { ...none, chroot: refused('EPERM', 'copy') };
	const denied = finding(machineWith({ system, engine, isolation: without }), 'chroot');
	assert.deepEqual([denied.status, denied.because], ['limited', 'root lacks CAP_MKNOD (EPERM at copy)']);
	const user = { uid: 1000, ...system };
	const names = diagnose(machineWith({ system: user, isolation: without })).findings.map(({ name }) => name);
	assert.ok(!names.includes('chroot'));
});

test('a filter that refuses only roots of their own is named, and the runtime sandbox where chroot is refused too', () => {
	const system = { hasSeccompFilter: true, outer: 'docker' } as const;
	const isolation = {
		level: 'chroot',
		roots: refused('EPERM', 'pivot'),
		chroot: { kind: 'allowed' },
	} as const;
	const facts = machineWith({ system, isolation });
	const { because, fix } = finding(facts, 'containers');
	assert.match(because ?? '', /^a system call filter .* \(EPERM at pivot\)$/);
	assert.match(fix?.join() ?? '', /seccomp=unconfined/);
	assert.equal(finding(facts, 'roots').found, 'refused');
	assert.match(finding(facts, 'overlay').found, /gets a copy of its image$/);
	const neither = { ...isolation, level: 'root', chroot: refused('EPERM', 'copy') } as const;
	const { found } = finding(machineWith({ system, isolation: neither }), 'runtimes');
	assert.match(found, /sandbox: containers cannot have root file systems of their own/);
});

test('parameters that restrict ordinary users explain nothing for root', () => {
	const sysctls = { 'kernel.unprivileged_userns_clone': '0' };
	const isolation = { level: 'none', box: refused('EPERM') } as const;
	const found = finding(machineWith({ system: { sysctls }, isolation }), 'containers');
	assert.match(found.because ?? '', /^no file of this machine/);
});

test('a cause that several findings have is reported once', () => {
	const facts = userMachine({ sysctls: { 'user.max_user_namespaces': '0' } }, refused('ENOSPC'));
	const { because, fix } = finding(facts, 'mounts');
	assert.deepEqual([because, fix], ['of the same cause as for containers', undefined]);
});

test('without a shim one line says why, and a shim that cannot run is no guess', () => {
	const untried = { kind: 'untried', why: 'the shim cannot run: spawn EACCES' } as const;
	const none = { level: 'none', box: untried } as const;
	const mac = { system: { platform: 'darwin' }, isolation: { ...none, shim: undefined } };
	const names = diagnose(machineWith(mac)).findings.map(({ name }) => name);
	assert.deepEqual(
		names.filter((name) => ['containers', 'mounts', 'overlay', 'ids', 'cgroups'].includes(name)),
		['containers'],
	);
	assert.equal(finding(machineWith(mac), 'containers').because, 'darwin has no namespaces');
	assert.equal(finding(machineWith({ isolation: none }), 'containers').because, untried.why);
});

test('a hidden /proc is explained where only process namespaces are refused', () => {
	const isolation = { processes: refused('EPERM', 'mount', '/proc') };
	const found = finding(machineWith({ system: { outer: 'podman' }, isolation }), 'processes');
	assert.match(found.because ?? '', /parts of \/proc are hidden/);
	assert.deepEqual(found.fix, ['podman run --security-opt unmask=ALL …']);
});

test('an overlay that is refused names the folder, and what takes its place', () => {
	const found = finding(machineWith({ isolation: { overlay: refused('EINVAL', 'mount', '/x') } }), 'overlay');
	assert.match(found.because ?? '', /cannot be the upper layer.*\(EINVAL at mount "\/x"\)/);
	assert.match(found.found, /^refused: each container of the runtime sandbox gets a copy/);
});

test('ids need lines in both files, and newuidmap', () => {
	const untried = { kind: 'untried', why: 'there is no newuidmap on PATH' } as const;
	const user = { system: { uid: 1000, userName: 'you' }, isolation: { level: 'user' } } as const;
	const rows = [
		[{ subuids: 0, subgids: 0, newuidmap: untried }, '/etc/subuid has no line for you'],
		[{ subuids: 65_536, subgids: 0, newuidmap: untried }, '/etc/subgid has no line for you'],
		[{ subuids: 65_536, subgids: 65_536, newuidmap: untried }, 'there is no newuidmap on PATH'],
	] as const;
	for (const [ids, because] of rows)
		assert.equal(finding(machineWith({ ...user, ids }), 'ids').because, because);
	const short = { ...user, ids: { subuids: 65_536, subgids: 10, newuidmap: untried } };
	assert.equal(finding(machineWith(short), 'ids').because, '/etc/subgid has no line for you with 65536 ids');
	const ids = { subuids: 65_536, subgids: 65_536, newuidmap: { kind: 'allowed' } } as const;
	assert.equal(finding(machineWith({ ...user, ids }), 'ids').status, 'ok');
});

test('the remedy for missing ids adds a range that no other user has, to the files that lack one', () => {
	const system = { uid: 1000, userName: 'you' };
	const taken = [{ user: 'other', first: 100_000, length: 65_536 }];
	const fix = (ids: Partial<MachineFacts['ids']>): string | undefined =>
		finding(machineWith({ system, isolation: { level: 'user' }, ids: { taken, ...ids } }), 'ids').fix?.[0];
	assert.equal(fix({}), 'sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 you');
	assert.equal(fix({ subuids: 65_536 }), 'sudo usermod --add-subgids 165536-231071 you');
});

test('control groups that are not delegated, or lack controllers, limit nothing', () => {
	const one = { version: 2, folder: '/sys/fs/cgroup/user.slice', trial: { kind: 'allowed' } } as const;
	const system = { uid: 1000, userName: 'you' };
	const of = (cgroups: MachineFacts['cgroups']): MachineFinding =>
		finding(machineWith({ system, cgroups }), 'cgroups');
	const denied = of([{ ...one, controllers: ['cpu', 'memory'], trial: refused('EACCES', 'mkdir') }]);
	assert.match(denied.because ?? '', /user\.slice is not delegated to you \(EACCES at mkdir\)/);
	assert.deepEqual(denied.fix, ['systemd-run --user --scope -p Delegate=yes ./stint server']);
	const few = of([{ ...one, controllers: ['memory', 'pids'] }]);
	assert.match(few.because ?? '', /cgroup\.controllers lists memory, pids/);
	assert.match(few.fix?.join() ?? '', /Delegate=cpu cpuset io memory pids/);
	assert.match(of([]).because ?? '', /no cgroup file system/);
	const old = of([{ ...one, version: 1, controllers: ['memory'], trial: refused('EACCES', 'mkdir') }]);
	assert.deepEqual(old.fix, ['sudo ./stint server']);
	const mounted = of([{ ...one, controllers: ['cpu', 'memory'], trial: refused('EROFS', 'mkdir') }]);
	assert.match(mounted.fix?.join() ?? '', /^docker run --cgroupns=private/);
});

test('Jobs cannot run without Node, processes, or a data folder with space', () => {
	const rows: readonly (readonly [string, MachineFacts])[] = [
		['node', machineWith({ system: { nodeVersion: '22.1.0' } })],
		['spawn', machineWith({ system: { spawn: refused('EAGAIN', 'spawn') } })],
		['dataFolder', machineWith({ dataFolder: { trial: refused('EACCES', 'mkdir', 'permission denied') } })],
		['diskSpace', machineWith({ dataFolder: { freeBytes: 1000 } })],
	];
	for (const [name, facts] of rows) {
		const { canRunJobs, findings } = diagnose(facts);
		assert.equal(canRunJobs, false, name);
		assert.deepEqual(
			findings.filter(({ status }) => status === 'blocked').map((each) => each.name),
			[name],
		);
	}
});

test('what else is missing has a remedy, and blocks nothing', () => {
	const port = { number: 6443, trial: refused('EADDRINUSE', 'listen') };
	const rows: readonly (readonly [string, MachineFacts, fix: RegExp])[] = [
		['openFiles', machineWith({ limits: { openFiles: 256 } }), /limits\.d/],
		['inotify', machineWith({ limits: { inotifyWatches: 10 } }), /max_user_watches=/],
		['dataFolder', machineWith({ dataFolder: { fileSystem: 'nfs' } }), /^\.\/stint server --data-dir/],
		['dataFolder', machineWith({ dataFolder: { socketPathBytes: 120 } }), /shorter path/],
		['diskSpace', machineWith({ dataFolder: { freeBytes: 2 ** 28 } }), /df -h/],
		['port', machineWith({ port }), /^\.\/stint server --port 0/],
		['timeZones', machineWith({ zones: { known: 1, own: 'UTC', hasFiles: true } }), /nodejs\.org/],
		['timeZones', machineWith({ zones: { known: 400, own: 'UTC', hasFiles: false } }), /tzdata/],
		['kubectl', machineWith({ kubectl: undefined }), /release\/v1\.37\.0\/bin\/linux\/amd64\/kubectl/],
		['kubectl', machineWith({ kubectl: { path: '/k', version: 'v1.20.0' } }), /curl/],
		['kubectl', machineWith({ kubectl: { path: '/k', version: 'v1.39.0' } }), /curl/],
	];
	for (const [name, facts, fix] of rows) {
		const { canRunJobs, findings } = diagnose(facts);
		assert.equal(canRunJobs, true, name);
		const problems = findings.filter(({ status }) => status !== 'ok');
		assert.deepEqual(
			problems.map((each) => each.name),
			[name],
		);
		assert.match(problems[0]?.fix?.join() ?? '', fix);
	}
});

test('the runtimes that work are named, and why others do not', () => {
	const engine = { problem: 'no socket' };
	const at = (change: MachineChange): string => {
		const { status, found, because = '' } = finding(machineWith(change), 'runtimes');
		return `${status} ${found} ${because}`.trim();
	};
	assert.equal(at({}), 'ok process, sandbox, docker (/var/run/docker.sock)');
	assert.match(at({ engine }), /^ok process, sandbox \(not docker: no socket/);
	const cri = { socketPath: '/run/containerd/containerd.sock' };
	assert.match(
		at({ engine, cri }),
		/^ok process, sandbox, cri \(\/run\/containerd\/containerd.sock\) \(not docker/,
	);
	const isolation = { processes: refused('EPERM', 'mount', '/proc') };
	assert.match(at({ isolation }), /^ok process, docker \(.*\) \(not sandbox: .*processes of their own\)$/);
	assert.match(
		at({ engine, isolation: { level: 'none' } }),
		/^limited process: no images can be run sandbox: containers cannot be isolated; docker: no socket/,
	);
	assert.match(at({ engine, isolation: { shim: undefined } }), /sandbox: there is no shim; docker/);
});

test('networks of Pods are reported with what they lack', () => {
	const at = (podNetworks: MachineFacts['podNetworks']): string => {
		const { status, found, because = '' } = finding(machineWith({ podNetworks }), 'podNetworks');
		return `${status} ${found} ${because}`.trim();
	};
	assert.equal(at({}), 'ok each Pod can have its own (--pod-network pod)');
	assert.equal(at({ refusal: 'why' }), 'limited Pods have the network of this machine why');
	assert.match(
		at({ confined: 'why' }),
		/^limited each Pod can have its own .*, but reaches no other machine .* why$/,
	);
});

test('the fields are those of the table for the traits of the runtime', () => {
	const fields = (canExec: boolean): readonly string[] =>
		diagnose(machineWith({ traits: { ...ROOT_MACHINE.traits, canExec } })).fields.map(
			({ field, effect }) => `${effect} ${field}`,
		);
	assert.equal(fields(true).includes('held tty'), false);
	assert.ok(fields(true).includes('held stdin'));
	assert.ok(fields(false).includes('held livenessProbe'));
	assert.equal(fields(true).includes('held livenessProbe'), false);
	assert.equal(fields(true)[0], 'rejected runtimeClassName');
});
