import assert from 'node:assert/strict';
import test from 'node:test';
import { type CgroupCalls, findHierarchies } from './hierarchies.ts';

/** A machine whose files are `files`; those that end with `!` cannot be written. */
function machine(
	files: Readonly<Record<string, string>>,
): CgroupCalls & { readonly files: Map<string, string> } {
	const known = new Map(Object.entries(files));
	return {
		files: known,
		read: (path) => {
			const text = known.get(path);
			if (text === undefined) throw new Error(`no ${path}`);
			return text;
		},
		write: (path, text) => {
			if (known.get(path.replace('subtree_control', 'procs')) !== '') throw new Error('EBUSY');
			known.set(path, `${known.get(path)} ${text.slice(1)}`.trim());
		},
		mayWrite: (path) => known.has(path) || [...known.keys()].some((each) => each.startsWith(`${path}/`)),
	};
}

function found(calls: CgroupCalls): unknown {
	return findHierarchies(calls).map(({ version, mount, folder, controllers }) => ({
		version,
		mount,
		folder,
		controllers: [...controllers].sort().join(' '),
	}));
}

const V1 = [
	'31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw',
	'32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
	'35 31 0:32 /docker/x /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory',
	'36 31 0:33 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer',
	'41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
].join('\n');

const CPU = '/sys/fs/cgroup/cpu,cpuacct';
const MEMORY = '/sys/fs/cgroup/my memory';

test('on v1, groups are made in the own one of each hierarchy, or at its root', () => {
	const calls = machine({
		'/proc/self/mountinfo': V1,
		'/proc/self/cgroup': '4:memory:/docker/x/y\n1:cpu,cpuacct:/session\n0::/',
		'/sys/fs/cgroup/cpu,cpuacct/cgroup.procs': '1',
		'/sys/fs/cgroup/my memory/y/cgroup.procs': '1',
		'/sys/fs/cgroup/unified/cgroup.procs': '1',
		'/sys/fs/cgroup/unified/cgroup.controllers': 'hugetlb',
	});
	assert.deepEqual(found(calls), [
		{ version: 1, mount: CPU, folder: CPU, controllers: 'cpu' },
		{ version: 1, mount: MEMORY, folder: `${MEMORY}/y`, controllers: 'memory' },
	]);
});

const V2 = '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate';

test('on v2, a group with processes passes nothing on, so that the one above it is used', () => {
	const slice = '/sys/fs/cgroup/user.slice/app.slice';
	const calls = machine({
		'/proc/self/mountinfo': V2,
		'/proc/self/cgroup': '0::/user.slice/app.slice/run.scope',
		[`${slice}/run.scope/cgroup.procs`]: '17',
		[`${slice}/run.scope/cgroup.controllers`]: 'cpu memory pids',
		[`${slice}/run.scope/cgroup.subtree_control`]: '',
		[`${slice}/cgroup.procs`]: '',
		[`${slice}/cgroup.controllers`]: 'cpu memory pids',
		[`${slice}/cgroup.subtree_control`]: 'memory',
	});
	assert.deepEqual(found(calls), [
		{ version: 2, mount: '/sys/fs/cgroup', folder: slice, controllers: 'cpu memory pids' },
	]);
	assert.equal(calls.files.get(`${slice}/cgroup.subtree_control`), 'memory cpu pids');
});

test('only delegated controllers are used', () => {
	const slice = '/sys/fs/cgroup/app.slice';
	const calls = machine({
		'/proc/self/mountinfo': V2,
		'/proc/self/cgroup': '0::/app.slice',
		[`${slice}/cgroup.procs`]: '',
		[`${slice}/cgroup.controllers`]: 'memory pids',
		[`${slice}/cgroup.subtree_control`]: '',
	});
	assert.deepEqual(found(calls), [
		{ version: 2, mount: '/sys/fs/cgroup', folder: slice, controllers: 'memory pids' },
	]);
});

test('a user who may write nothing has none, nor has a machine without control groups', () => {
	assert.deepEqual(found(machine({ '/proc/self/mountinfo': V2, '/proc/self/cgroup': '0::/x' })), []);
	assert.deepEqual(found(machine({})), []);
});
