import assert from 'node:assert/strict';
import test from 'node:test';
import { valueAt } from '../../json-values.ts';
import { containerConfig, sandboxConfig } from '../../testing/configs.ts';
import { type BodyFacts, containerBody, engineResources } from './container-body.ts';

function factsWith(more: Partial<BodyFacts> = {}): BodyFacts {
	const sandbox = sandboxConfig('a');
	return {
		sandbox,
		setup: sandbox,
		labels: {},
		mounts: [],
		imageUser: '',
		maxPids: 0,
		log: { Type: 'x', Config: {} },
		...more,
	};
}

test('requests and limits are the numbers that the kubelet gives', () => {
	const resources = (requests: object, limits: object): object =>
		engineResources({ requests: { others: {}, ...requests }, limits: { others: {}, ...limits } });
	assert.deepEqual(resources({}, {}), { CpuShares: 2 });
	assert.deepEqual(resources({ cpuMillis: 100 }, {}), { CpuShares: 102 });
	assert.deepEqual(resources({}, { cpuMillis: 500, memoryBytes: 1000 }), {
		CpuShares: 512,
		CpuPeriod: 100_000,
		CpuQuota: 50_000,
		Memory: 1000,
		MemorySwap: 1000,
	});
	assert.deepEqual(resources({}, { cpuMillis: 5 }), { CpuShares: 5, CpuPeriod: 100_000, CpuQuota: 1000 });
});

test('the namespaces of the host are used where the Pod says so, and those of a target container', () => {
	const shared = sandboxConfig('a', {
		namespaces: { network: 'node', ipc: 'node', pid: 'node', user: 'node' },
	});
	const ofHost = containerBody(containerConfig(), factsWith({ setup: shared }));
	const modes = (body: unknown): readonly unknown[] =>
		['NetworkMode', 'IpcMode', 'PidMode', 'UTSMode'].map((name) => valueAt(body, 'HostConfig', name));
	assert.deepEqual(modes(ofHost), ['host', 'host', 'host', 'host']);
	assert.equal(valueAt(ofHost, 'Hostname'), undefined);
	const own = containerBody(containerConfig(), factsWith({ targetEngineId: 'abc' }));
	assert.deepEqual(modes(own), ['host', 'private', 'container:abc', undefined]);
	assert.equal(valueAt(own, 'Hostname'), 'a');
});

test('aliases are extra hosts only if the Pod has no file for them', () => {
	const setup = sandboxConfig('a', { hostAliases: [{ ip: '10.0.0.1', hostnames: ['x', 'y'] }] });
	const hosts = (config = containerConfig()): unknown =>
		valueAt(containerBody(config, factsWith({ setup })), 'HostConfig', 'ExtraHosts');
	assert.deepEqual(hosts(), ['x:10.0.0.1', 'y:10.0.0.1']);
	const rest = { readOnly: false, recursiveReadOnly: 'Disabled', propagation: 'None', subPath: '' } as const;
	const mounts = [{ hostPath: '/h', containerPath: '/etc/hosts', ...rest }];
	assert.deepEqual(hosts(containerConfig({ mounts })), []);
});

test('a limit of processes is that of the container', () => {
	const limit = (maxPids: number): unknown =>
		valueAt(containerBody(containerConfig(), factsWith({ maxPids })), 'HostConfig', 'PidsLimit');
	assert.deepEqual([limit(0), limit(100)], [undefined, 100]);
});

test('a group alone keeps the user of the image, and Unconfined turns the filter off', () => {
	const { security } = containerConfig();
	const config = containerConfig({
		security: { ...security, runAsGroup: 7, seccompProfile: { type: 'Unconfined' } },
	});
	const body = containerBody(config, factsWith({ imageUser: 'app:app' }));
	assert.equal(valueAt(body, 'User'), 'app:7');
	assert.deepEqual(valueAt(body, 'HostConfig', 'SecurityOpt'), ['seccomp=unconfined']);
});
