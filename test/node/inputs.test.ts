import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerConfig } from '../../src/api/contract/container-config.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { InputSource, VolumeHost } from '../../src/node/pods/inputs.ts';
import { needKey } from '../../src/plan/pod/inputs/values.ts';
import { eventAbout, inPhase, pod, startNode } from './test-node.ts';

/** The stage of inputs of the node agent, with a source of objects and a host of volumes in memory. */
class FakeInputs {
	/** By key; the test changes it. */
	readonly objects = new Map<string, Readonly<Record<string, string>>>();
	/** What was set up and removed, in order. */
	readonly steps: string[] = [];

	readonly source: InputSource = {
		read: async (need) => {
			const found = this.objects.get(needKey(need));
			const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
			return found && new Map(Object.entries(found).map(([key, text]) => [key, bytes(text)]));
		},
	};

	readonly volumes: VolumeHost = {
		setUp: async ({ metadata }, volume) => {
			if (volume.kind === 'driver') throw new Error(`no driver mounts ${volume.source} volumes`);
			const files = volume.kind === 'files' ? ` ${volume.files.map(({ path }) => path).join(' ')}` : '';
			this.steps.push(`set up ${volume.name}: ${volume.kind}${files}`);
			return { hostPath: `/volumes/${metadata.name}/${volume.name}`, readOnly: volume.kind === 'files' };
		},
		remove: async () => {
			this.steps.push('remove');
		},
	};
}

function mounting(name: string, volume: object): Pod {
	const made = pod(name, ['true']);
	const containers = made.spec.containers.map((each) => ({
		...each,
		volumeMounts: [{ name: 'v', mountPath: '/data' }],
	}));
	return { ...made, spec: { ...made.spec, containers, volumes: [{ name: 'v', ...volume }] } };
}

const waitingOf = (object: Pod | undefined) => object?.status.containerStatuses?.[0]?.state?.waiting;

test('a container gets the values of objects, and volumes that are set up before it and removed after it', async (t) => {
	const inputs = new FakeInputs();
	inputs.objects.set('configMap/settings', { color: 'red' });
	const created: ContainerConfig[] = [];
	const { plane } = await startNode(t, { inputs, created: (config) => void created.push(config) });
	const made = mounting('p', { configMap: { name: 'settings' } });
	const envFrom = [
		{ configMapRef: { name: 'settings', optional: true } },
		{ secretRef: { name: 'none', optional: true } },
	];
	const containers = made.spec.containers.map((each) => ({ ...each, envFrom }));
	await plane.client.resource(pods, 'default').create({ ...made, spec: { ...made.spec, containers } });
	await plane.until(pods, 'p', inPhase('Succeeded'));
	assert.deepEqual(created[0]?.env, [{ name: 'color', value: 'red' }]);
	assert.deepEqual(
		created[0]?.mounts.map(({ hostPath, containerPath, readOnly }) => [hostPath, containerPath, readOnly]),
		[['/volumes/p/v', '/data', true]],
	);
	await plane.client.resource(pods, 'default').delete('p', { gracePeriodSeconds: 0 });
	await plane.until(pods, 'p', (object) => object === undefined);
	assert.deepEqual(inputs.steps.slice(0, 2), ['set up v: files color', 'remove']);
});

test('a volume whose object does not exist leaves the Pod without a sandbox, with upstream’s message', async (t) => {
	const inputs = new FakeInputs();
	const node = await startNode(t, { inputs });
	const { client } = node.plane;
	await client.resource(pods, 'default').create(mounting('p', { secret: { secretName: 'login' } }));
	await client.resource(pods, 'default').create(mounting('q', { nfs: { server: 's', path: '/' } }));
	const message = 'MountVolume.SetUp failed for volume "v" : secret "login" not found';
	assert.equal((await eventAbout(node, 'p', 'FailedMount')).message, message);
	assert.equal(
		(await eventAbout(node, 'q', 'FailedMount')).message,
		'MountVolume.SetUp failed for volume "v" : no driver mounts nfs volumes',
	);
	const waits = await node.plane.until(pods, 'p', (object) => waitingOf(object)?.message !== undefined);
	assert.deepEqual(waitingOf(waits), { reason: 'ContainerCreating', message });
	assert.deepEqual(await node.runtime.listSandboxes(), []);
});

test('a value that cannot be resolved keeps the container waiting in CreateContainerConfigError', async (t) => {
	const node = await startNode(t, { inputs: new FakeInputs() });
	const made = mounting('p', { emptyDir: {} });
	const volumeMounts = [{ name: 'v', mountPath: '/data', subPathExpr: '$(NONE)' }];
	const containers = made.spec.containers.map((each) => ({ ...each, volumeMounts }));
	await node.plane.client.resource(pods, 'default').create({ ...made, spec: { ...made.spec, containers } });
	const waits = await node.plane.until(pods, 'p', (object) => waitingOf(object)?.message !== undefined);
	const message = 'missing value for "NONE"';
	assert.deepEqual(waitingOf(waits), { reason: 'CreateContainerConfigError', message });
	assert.equal((await eventAbout(node, 'p', 'Failed')).message, `Error: ${message}`);
	assert.deepEqual(await node.runtime.listContainers(), []);
});
