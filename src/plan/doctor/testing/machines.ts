import type { MachineFacts, RefusedTrial, Trial } from '../facts.ts';

/** Machines for tests: one that allows everything, and changes of it. */

const ALLOWED: Trial = { kind: 'allowed' };

/** A Linux machine on which stint runs as root. */
export const ROOT_MACHINE: MachineFacts = {
	system: {
		platform: 'linux',
		architecture: 'x64',
		kernel: '6.18.0',
		uid: 0,
		userName: 'root',
		program: './stint',
		nodeVersion: '26.10.0',
		spawn: ALLOWED,
		outer: undefined,
		sysctls: { 'user.max_user_namespaces': '30000' },
		hasSeccompFilter: false,
		appArmorProfile: undefined,
	},
	isolation: {
		shim: '/opt/stint/stint-shim-x64',
		level: 'root',
		box: ALLOWED,
		userNamespaces: ALLOWED,
		mounts: ALLOWED,
		processes: ALLOWED,
		seccomp: ALLOWED,
		roots: ALLOWED,
		overlay: ALLOWED,
		chroot: { kind: 'untried', why: 'containers can be isolated' },
	},
	traits: {
		honours: new Set(['spec.volumes', 'spec.containers[].tty']),
		user: { uid: 0, gid: 0, groups: [] },
		os: 'linux',
		runsHostPrograms: true,
		canExec: true,
		canResize: false,
	},
	cgroups: [{ version: 2, folder: '/sys/fs/cgroup', controllers: ['cpu', 'memory', 'pids'], trial: ALLOWED }],
	ids: {
		subuids: 0,
		subgids: 0,
		taken: [],
		newuidmap: { kind: 'untried', why: 'there is no newuidmap on PATH' },
	},
	engine: { socketPath: '/var/run/docker.sock' },
	cri: { problem: 'no socket' },
	podNetworks: {},
	limits: { openFiles: 524_288, inotifyInstances: 512, inotifyWatches: 65_536 },
	dataFolder: {
		path: '/root/.local/share/stint',
		tried: '/root',
		trial: ALLOWED,
		fileSystem: 'ext4',
		freeBytes: 50 * 2 ** 30,
		socketPathBytes: 33,
	},
	zones: { known: 400, own: 'Europe/Berlin', hasFiles: true },
	kubectl: { path: '/usr/bin/kubectl', version: 'v1.36.1' },
	port: { number: 6443, trial: ALLOWED },
};

/** Parts of a machine that differ. */
export type MachineChange = {
	readonly [Part in 'system' | 'isolation' | 'limits' | 'dataFolder' | 'ids']?: Partial<MachineFacts[Part]>;
} & Partial<
	Pick<MachineFacts, 'traits' | 'engine' | 'cri' | 'podNetworks' | 'cgroups' | 'zones' | 'kubectl' | 'port'>
>;

/** {@link ROOT_MACHINE} with changes. */
export function machineWith(change: MachineChange): MachineFacts {
	const { system, isolation, limits, dataFolder, ids } = ROOT_MACHINE;
	return {
		...ROOT_MACHINE,
		...change,
		system: { ...system, ...change.system },
		isolation: { ...isolation, ...change.isolation },
		limits: { ...limits, ...change.limits },
		dataFolder: { ...dataFolder, ...change.dataFolder },
		ids: { ...ids, ...change.ids },
	};
}

/** The same machine for an ordinary user, with other facts about its system. */
export function userMachine(system: Partial<MachineFacts['system']>, box: Trial): MachineFacts {
	const level = box.kind === 'allowed' ? 'user' : 'none';
	const isolation = { level, box, userNamespaces: box, mounts: box, processes: box, seccomp: box } as const;
	return machineWith({ system: { uid: 1000, userName: 'you', ...system }, isolation });
}

/** A trial that was refused. */
export function refused(code: string, step = 'clone', detail?: string): RefusedTrial {
	return { kind: 'refused', code, step, ...(detail !== undefined && { detail }) };
}
