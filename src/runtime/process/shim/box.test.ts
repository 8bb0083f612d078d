import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerSecurity } from '../../../api/contract/container-config.ts';
import type { SandboxNamespaces } from '../../../api/contract/sandbox-config.ts';
import { containerConfig, sandboxConfig } from '../../testing/configs.ts';
import { type BoxedConfig, type BoxFacts, boxOf } from './box.ts';
import type { ContainerBox } from './shim-request.ts';

const ROOT: BoxFacts = {
	...{ level: 'root', hasPids: true, uid: 0, gid: 0, filter: '/filter.bpf' },
	userById: (uid) => (uid === 7 ? { gid: 8, groups: [9], home: '/home/seven' } : undefined),
};
const USER: BoxFacts = { ...ROOT, level: 'user', uid: 500, gid: 600 };

/** The box of a container with these settings. */
function box(
	security: Partial<ContainerSecurity>,
	how: {
		readonly facts?: BoxFacts;
		readonly config?: Partial<BoxedConfig>;
		readonly namespaces?: Partial<SandboxNamespaces>;
	} = {},
): ContainerBox | undefined {
	const config = containerConfig({});
	const sandbox = sandboxConfig('a', { hostname: 'web' });
	return boxOf(
		{ ...config, ...how.config, security: { ...config.security, privileged: undefined, ...security } },
		{ ...sandbox, namespaces: { ...sandbox.namespaces, ...how.namespaces } },
		how.facts ?? ROOT,
	);
}

test('a container has namespaces of its own, except for those that its Pod shares with the host', () => {
	const own = { network: 'pod', ipc: 'pod', pid: 'container' } as const;
	assert.deepEqual(
		[box({}, { namespaces: own })?.namespaces, box({}, { namespaces: own })?.hostname],
		['mpih', 'web'],
	);
	const shared = box({}, { namespaces: { network: 'node', ipc: 'node', pid: 'node' } });
	assert.deepEqual([shared?.namespaces, shared?.hostname], ['m', undefined]);
	const facts = { ...ROOT, hasPids: false };
	assert.equal(box({}, { namespaces: own, facts })?.namespaces, 'mih');
	assert.equal(box({}, { facts: { ...ROOT, level: 'none' } }), undefined);
});

test('volumes come first, then devices, then the file for the termination message', () => {
	const mount = { hostPath: '/v', subPath: 'a', containerPath: '/data', readOnly: true } as const;
	const config: Partial<BoxedConfig> = {
		mounts: [{ ...mount, recursiveReadOnly: 'IfPossible', propagation: 'HostToContainer' }],
		devices: [{ hostPath: '/dev/sdb', containerPath: '/dev/xvda', readOnly: false }],
		...{ terminationMessagePath: '/data/end', terminationMessageFile: '/logs/end' },
	};
	assert.deepEqual(box({}, { config })?.mounts, [
		{ source: '/v', subPath: 'a', target: '/data', flags: 'rRH' },
		{ source: '/dev/sdb', subPath: '', target: '/dev/xvda', flags: '' },
		{ source: '/logs/end', subPath: '', target: '/data/end', flags: '' },
	]);
	assert.deepEqual(box({}, { config: { ...config, terminationMessageFile: '' } })?.mounts.length, 2);
});

test('as root the user has the groups of the machine, unless the policy is Strict', () => {
	assert.equal(box({})?.user, undefined);
	const merged = box({ runAsUser: 7, supplementalGroups: [5] });
	assert.deepEqual([merged?.user, merged?.groups], [{ uid: 7, gid: 8 }, [9, 5]]);
	const strict = box({ runAsUser: 7, runAsGroup: 3, supplementalGroupsPolicy: 'Strict' });
	assert.deepEqual([strict?.user, strict?.groups], [{ uid: 7, gid: 3 }, []]);
	assert.deepEqual(box({ runAsUser: 1234 })?.user, { uid: 1234, gid: 0 });
});

test('as an ordinary user, this user is mapped to the one that the Pod names', () => {
	const mapped = box({ runAsUser: 0 }, { facts: USER });
	assert.deepEqual([mapped?.idMaps, mapped?.user], [{ uid: '0 500 1', gid: '600 600 1' }, undefined]);
});

test('capabilities are limited only by a security context that says something about them', () => {
	assert.equal(box({})?.capabilities, undefined);
	assert.equal(box({ privileged: false })?.capabilities, 'a80425fb');
	assert.equal(box({ capabilities: { add: ['CAP_NET_ADMIN'], drop: ['all'] } })?.capabilities, '1000');
	assert.equal(box({ privileged: true, capabilities: { add: [], drop: ['ALL'] } })?.capabilities, undefined);
});

test('system calls are filtered by RuntimeDefault, but not those of a privileged container', () => {
	const seccompProfile = { type: 'RuntimeDefault' } as const;
	assert.equal(box({ seccompProfile })?.seccomp, '/filter.bpf');
	assert.equal(box({ seccompProfile, privileged: true })?.seccomp, undefined);
	assert.equal(box({ seccompProfile: { type: 'Unconfined' } })?.seccomp, undefined);
});
