import assert from 'node:assert/strict';
import test from 'node:test';
import type { Container, Pod } from '../../api/core/pod/schema.ts';
import { InputError, needKey } from '../../plan/pod/inputs/values.ts';
import { PodInputs } from './inputs.ts';

const FACTS = { allocatable: {}, hostIP: '10.0.0.1' };

const CONTAINER: Container = {
	name: 'c',
	volumeMounts: [{ name: 'v', mountPath: '/v' }],
	envFrom: [{ configMapRef: { name: 'settings' } }, { configMapRef: { name: 'settings' } }],
};

const POD: Pod = {
	...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u' } },
	spec: { containers: [CONTAINER], volumes: [{ name: 'v', secret: { secretName: 'login' } }] },
	status: {},
};

/** The stage with these objects, all of them empty, and what it has read and set up. */
function stage(...objects: readonly string[]): {
	readonly inputs: PodInputs;
	readonly steps: readonly string[];
} {
	const steps: string[] = [];
	const inputs = new PodInputs({
		facts: FACTS,
		source: {
			read: async (need) => {
				steps.push(`read ${needKey(need)}`);
				return objects.includes(needKey(need)) ? new Map() : undefined;
			},
		},
		volumes: {
			setUp: async (_, { name }) => {
				steps.push(`set up ${name}`);
				return { hostPath: `/volumes/${name}`, readOnly: false };
			},
			remove: async (uid) => void steps.push(`remove ${uid}`),
		},
	});
	return { inputs, steps };
}

test('each object is read once for a start, and the volumes are set up once', async () => {
	const { inputs, steps } = stage('configMap/settings', 'secret/login');
	assert.deepEqual(await inputs.setUpVolumes(POD), []);
	const values = await inputs.valuesOf(POD, CONTAINER);
	assert.deepEqual([...values.data.keys()], ['configMap/settings']);
	assert.equal(values.volumes.get('v')?.hostPath, '/volumes/v');
	assert.deepEqual(steps, ['read secret/login', 'set up v', 'read configMap/settings']);
});

test('after a restart of the agent, and after a removal, the volumes are set up at the next start', async () => {
	const { inputs, steps } = stage('configMap/settings', 'secret/login');
	await inputs.valuesOf(POD, CONTAINER);
	await inputs.remove('u');
	await inputs.valuesOf(POD, CONTAINER);
	assert.deepEqual(
		steps.filter((step) => !step.startsWith('read')),
		['set up v', 'remove u', 'set up v'],
	);
});

test('a volume that cannot be set up is an event before the sandbox, and an InputError at a start', async () => {
	const { inputs } = stage();
	const message = 'MountVolume.SetUp failed for volume "v" : secret "login" not found';
	assert.deepEqual(await inputs.setUpVolumes(POD), [{ type: 'Warning', reason: 'FailedMount', message }]);
	await assert.rejects(
		inputs.valuesOf(POD, CONTAINER),
		(error) => error instanceof InputError && error.message === message,
	);
});
