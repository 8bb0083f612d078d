import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { ApiResponse } from '../../api/contract/transport.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { PodsUnderTest } from '../testing/pods-under-test.ts';
import { PODS, podNamed, refusal } from '../testing/server-contract-suite.ts';

const api = new PodsUnderTest();
const { podAt } = api;

beforeEach(() => api.open());
afterEach(() => api.close());

/** A Pod on a node, so that it has a grace period. */
async function placed(name: string): Promise<Pod> {
	await api.post('', podNamed(name));
	await api.post(`/${name}/binding`, { metadata: { name }, target: { name: 'node' } });
	return podAt(name);
}

function evict(name: string, deleteOptions?: object, query = {}): Promise<ApiResponse> {
	const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, deleteOptions };
	return api.post(`/${name}/eviction`, eviction, query);
}

const DISRUPTED = {
	type: 'DisruptionTarget',
	status: 'True',
	lastProbeTime: null,
	lastTransitionTime: '2026-01-01T00:00:00Z',
	reason: 'EvictionByEvictionAPI',
	message: 'Eviction API: evicting',
};

const targetOf = ({ status }: Pod): unknown => findCondition(status.conditions, 'DisruptionTarget');

test('a Pod has the condition DisruptionTarget before it terminates', async () => {
	await placed('p');
	const versions: Pod[] = [];
	await api.opened.server.watch(
		{
			method: 'GET',
			path: PODS,
			query: { watch: 'true', resourceVersion: String(api.opened.store.revision) },
		},
		{ events: (batch) => versions.push(...batch.map(({ object }) => object as Pod)), ended: () => undefined },
	);
	const { code, object } = await evict('p');
	assert.equal(code, 201);
	assert.deepEqual(object, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
	assert.deepEqual(
		versions.map((pod) => [targetOf(pod), pod.metadata.deletionTimestamp]),
		[
			[DISRUPTED, undefined],
			[DISRUPTED, '2026-01-01T00:00:30Z'],
		],
	);
});

test('a Pod without a node is removed at once; the second eviction gets NotFound', async () => {
	await api.post('', podNamed('p'));
	await evict('p');
	assert.equal((await refusal(podAt('p'))).reason, 'NotFound');
	assert.equal((await refusal(evict('p'))).message, 'pods "p" not found');
});

test('the grace period and the preconditions come from the Eviction', async () => {
	const { metadata } = await placed('p');
	const wrong = await refusal(evict('p', { preconditions: { uid: 'other' } }));
	assert.equal(
		wrong.message,
		`Operation cannot be fulfilled on Pod "p": the UID in the precondition (other) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
	);
	assert.equal((await refusal(evict('p', { preconditions: { resourceVersion: '1' } }))).reason, 'Conflict');
	assert.equal(targetOf(await podAt('p')), undefined);
	const { uid, resourceVersion } = metadata;
	await evict('p', { gracePeriodSeconds: 5, preconditions: { uid, resourceVersion } });
	assert.equal((await podAt('p')).metadata.deletionGracePeriodSeconds, 5);
	await evict('p', { gracePeriodSeconds: 0 });
	assert.equal((await refusal(podAt('p'))).reason, 'NotFound');
});

test('a dry run in the query or in the Eviction changes nothing', async () => {
	await placed('p');
	const { revision } = api.opened.store;
	await evict('p', { dryRun: ['All'] });
	await evict('p', undefined, { dryRun: 'All' });
	assert.equal(api.opened.store.revision, revision);
	assert.equal((await refusal(evict('q', { dryRun: ['All'] }))).reason, 'NotFound');
});

test('options that are rejected leave no condition on the Pod', async () => {
	await placed('p');
	assert.equal((await refusal(evict('p', { propagationPolicy: 'Sideways' }))).reason, 'Invalid');
	const dangerous = await refusal(evict('p', { ignoreStoreReadErrorWithClusterBreakingPotential: true }));
	assert.equal(
		dangerous.message,
		'Eviction.policy "p" is invalid: deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential: Invalid value: true: can not be set for pod eviction, try after removing the option',
	);
	assert.equal(targetOf(await podAt('p')), undefined);
});

test('both versions of policy are accepted, and no others', async () => {
	await placed('p');
	const posted = (body: object): Promise<ApiResponse> => api.post('/p/eviction', body);
	const metadata = { name: 'p' };
	const refused: readonly (readonly [object, string])[] = [
		[
			{ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'q' } },
			'name in URL does not match name in Eviction object',
		],
		[{}, 'name in URL does not match name in Eviction object'],
		[
			{ apiVersion: 'v1', kind: 'Eviction', metadata },
			'the API version in the data (v1) does not match the expected API version (policy/v1)',
		],
		[
			{ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p', namespace: 'other' } },
			'the namespace of the provided object does not match the namespace sent on the request',
		],
		[
			{ apiVersion: 'v1', kind: 'Pod', metadata },
			'Pod in version "v1" cannot be handled as a Eviction: converting (v1.Pod) to (v1.Eviction): unknown conversion',
		],
		[
			{ metadata: { name: 7 } },
			'Eviction in version "v1" cannot be handled as a Eviction: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string',
		],
	];
	for (const [body, message] of refused) {
		const error = await refusal(posted(body));
		assert.deepEqual([error.code, error.message], [400, message]);
	}
	assert.equal(targetOf(await podAt('p')), undefined);
	assert.equal((await posted({ apiVersion: 'policy/v1beta1', kind: 'Eviction', metadata })).code, 201);
	assert.equal((await posted({ metadata })).code, 201);
	assert.equal((await refusal(api.get('/p/eviction'))).code, 405);
});

test('unknown fields of the Eviction cause warnings, or an error with strict validation', async () => {
	await placed('p');
	const query = { fieldValidation: 'Strict' };
	const body = { metadata: { name: 'p' }, gracePeriodSeconds: 1 };
	assert.match(
		(await refusal(api.post('/p/eviction', body, query))).message,
		/unknown field "gracePeriodSeconds"/,
	);
	const { warnings } = await api.post('/p/eviction', body);
	assert.deepEqual(warnings, ['unknown field "gracePeriodSeconds"']);
});

test('conditions that the API server sets have all fields that clients rely on', async () => {
	const gated = podNamed('gated');
	const spec = { containers: [{ name: 'main', image: 'a' }], schedulingGates: [{ name: 'gate' }] };
	await api.post('', { ...gated, spec });
	await api.post('', podNamed('evicted', { finalizers: ['example.com/kept'] }));
	await api.post('/evicted/binding', { metadata: { name: 'evicted' }, target: { name: 'node' } });
	await evict('evicted');
	const told: string[] = [];
	for (const name of ['gated', 'evicted']) {
		const { status } = await podAt(name);
		told.push(...(status.conditions ?? []).map(({ type, lastProbeTime }) => `${type} ${lastProbeTime}`));
	}
	assert.deepEqual(told, ['PodScheduled null', 'PodScheduled null', 'DisruptionTarget null']);
});
