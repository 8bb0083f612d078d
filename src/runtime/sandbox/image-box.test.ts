import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerSecurity } from '../../api/contract/container-config.ts';
import type { SandboxNamespaces } from '../../api/contract/sandbox-config.ts';
import type { ContainerBox } from '../process/shim/shim-request.ts';
import { containerConfig, sandboxConfig } from '../testing/configs.ts';
import { type ImageBoxFacts, imageBoxOf } from './image-box.ts';

const FACTS: ImageBoxFacts = {
	level: 'root',
	hasPids: true,
	uid: 0,
	gid: 0,
	filter: '/filter.bpf',
	subordinateIds: undefined,
};
const USER: ImageBoxFacts = { ...FACTS, level: 'user', uid: 500, gid: 600 };
const IDS = { uids: { first: 100_000, count: 65_536 }, gids: { first: 200_000, count: 65_536 } };
const POD_NAMESPACES = { network: 'node', ipc: 'pod', pid: 'container' } as const;

function box(
	security: Partial<ContainerSecurity>,
	facts: ImageBoxFacts = FACTS,
	namespaces: Partial<SandboxNamespaces> = POD_NAMESPACES,
): ContainerBox | undefined {
	const config = containerConfig({});
	const sandbox = sandboxConfig('a', { hostname: 'web' });
	const image = {
		root: { folder: '/c/root' },
		user: { uid: 7, gid: 8, groups: [9] as readonly number[], home: '/' },
		resolvConf: '/c/resolv.conf',
	};
	return imageBoxOf(
		{ ...config, security: { ...config.security, privileged: undefined, ...security } },
		{ ...sandbox, namespaces: { ...sandbox.namespaces, ...namespaces } },
		{ image, facts },
	);
}

test('a container has the devices, capabilities and hidden paths of other runtimes', () => {
	const found = box({});
	assert.deepEqual(
		found?.fileSystems.map(({ target }) => target),
		[...['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']],
	);
	assert.deepEqual(
		[found?.namespaces, found?.capabilities, found?.seccomp, found?.user],
		['mpi', 'a80425fb', '/filter.bpf', { uid: 7, gid: 8 }],
	);
	assert.ok(found?.masked?.includes('/proc/kcore'));
	assert.ok(found?.protected?.includes('/proc/sys'));
	assert.equal(found?.mounts.find(({ target }) => target === '/sys')?.flags, 'rR');
});

test('a privileged container has all of these', () => {
	const found = box({ privileged: true });
	assert.deepEqual([found?.capabilities, found?.seccomp, found?.masked], [undefined, undefined, undefined]);
	assert.equal(found?.mounts.find(({ target }) => target === '/sys')?.flags, '');
	assert.equal(box({ procMount: 'Unmasked' })?.masked, undefined);
	assert.equal(box({ seccompProfile: { type: 'Unconfined' } })?.seccomp, undefined);
});

test('the ids of an ordinary user are mapped into the container', () => {
	assert.deepEqual(box({}, USER)?.idMaps, { uid: '7 500 1', gid: '8 600 1' });
	assert.equal(box({}, USER)?.user, undefined);
	const many = box({}, { ...USER, subordinateIds: IDS });
	assert.deepEqual(many?.idMaps, { uid: '0 500 1\n1 100000 65536', gid: '0 600 1\n1 200000 65536' });
	assert.deepEqual([many?.user, many?.groups], [{ uid: 7, gid: 8 }, [9]]);
});

test('what the Pod shares with the machine is mounted from it', () => {
	const shared = { network: 'node', ipc: 'node', pid: 'node' } as const;
	const found = box({}, { ...USER }, shared);
	assert.equal(found?.namespaces, 'm');
	const targets = found?.mounts.map(({ target }) => target) ?? [];
	assert.ok(targets.includes('/proc') && targets.includes('/dev/shm'));
	// Root may mount another view of the machine's processes.
	assert.ok(box({}, FACTS, shared)?.fileSystems.some(({ type }) => type === 'proc'));
});

test('there is no box where the machine allows none', () => {
	assert.equal(box({}, { ...FACTS, level: 'none' }), undefined);
	assert.equal(box({}, { ...FACTS, hasPids: false }), undefined);
});
