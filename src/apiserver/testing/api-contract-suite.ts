/** The behaviour of the API: the same tests for callers in the process and for HTTPS clients. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ApiRequest } from '../../api/contract/transport.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { ApiUnderTest } from './api-under-test.ts';
import { changeContract } from './change-contract-suite.ts';
import { deleteContract } from './delete-contract-suite.ts';
import { readContract } from './read-contract-suite.ts';
import { PODS, podNamed, refusal, type TestConnection, type TestServer } from './server-contract-suite.ts';

/** Registers the tests of the API for one transport. */
export function apiContract(name: string, connect: (opened: TestServer) => Promise<TestConnection>): void {
	describe(name, () => {
		const api = new ApiUnderTest();

		beforeEach(() => api.open(connect));
		afterEach(() => api.close());

		createContract(api);
		readContract(api);
		changeContract(api);
		deleteContract(api);
		bindingContract(api);
	});
}

/** The tests of create. */
function createContract(api: ApiUnderTest): void {
	const { post, get, remove } = api;

	describe('create', () => {
		test('sets the fields that only the server sets', async () => {
			const pod = await post(PODS, podNamed('p', { uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z' }));
			assert.equal(pod.metadata.namespace, 'default');
			assert.match(pod.metadata.uid ?? '', /^[0-9a-f-]{36}$/);
			assert.equal(pod.metadata.creationTimestamp, '2026-01-01T00:00:00Z');
			assert.equal(pod.metadata.generation, 1);
			assert.equal(pod.metadata.resourceVersion, String(api.opened.store.revision));
			assert.deepEqual(await get(`${PODS}/p`), pod);
		});

		test('sets defaults, tolerations and priority', async () => {
			const { spec, status } = await post(PODS, podNamed('p'));
			assert.equal(spec.restartPolicy, 'Always');
			assert.equal(spec.priority, 0);
			assert.equal(spec.preemptionPolicy, 'PreemptLowerPriority');
			assert.deepEqual(
				spec.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]),
				[
					['node.kubernetes.io/not-ready', 300],
					['node.kubernetes.io/unreachable', 300],
				],
			);
			assert.equal(status.phase, 'Pending');
			const other = { ...podNamed('q'), spec: { ...spec, priority: 7 } };
			assert.equal((await refusal(post(PODS, other))).code, 403);
			const classless = { ...podNamed('q'), spec: { ...spec, priorityClassName: 'high' } };
			const error = await refusal(post(PODS, classless));
			assert.equal(error.message, 'pods "q" is forbidden: no PriorityClass with name high was found');
		});

		test('completes a generated name', async () => {
			const body = { ...podNamed(''), metadata: { generateName: 'p-' } };
			const first = await post(PODS, body);
			const second = await post(PODS, body);
			assert.match(first.metadata.name ?? '', /^p-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
			assert.notEqual(first.metadata.name, second.metadata.name);
		});

		test('rejects a name that exists', async () => {
			await post(PODS, podNamed('p', { finalizers: ['a/b'] }));
			const error = await refusal(post(PODS, podNamed('p')));
			assert.equal(error.code, 409);
			assert.equal(error.reason, 'AlreadyExists');
			assert.equal(error.message, 'pods "p" already exists');
			await remove(`${PODS}/p`);
			const late = await refusal(post(PODS, podNamed('p'), { dryRun: 'All' }));
			assert.equal(late.message, 'object is being deleted: pods "p" already exists');
		});

		test('rejects an invalid object with a cause for each field', async () => {
			const body = { ...podNamed('P'), spec: { containers: [{ name: 'main', image: '' }] } };
			const error = await refusal(post(PODS, body));
			assert.equal(error.code, 422);
			assert.match(error.message, /^Pod "P" is invalid: \[metadata\.name: Invalid value/);
			assert.deepEqual(
				error.status.details?.causes?.map(({ field }) => field),
				['metadata.name', 'spec.containers[0].image'],
			);
		});

		test('handles unknown fields as fieldValidation says', async () => {
			const body = { ...podNamed('p'), spec: { containers: [{ name: 'a', image: 'b', imagee: 'c' }] } };
			const strict = await refusal(post(PODS, body, { fieldValidation: 'Strict' }));
			assert.equal(
				strict.message,
				'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imagee"',
			);
			const request: ApiRequest = { method: 'POST', path: PODS, body, query: { fieldValidation: 'Warn' } };
			const { warnings } = await api.transport.request(request);
			assert.deepEqual(warnings, ['unknown field "spec.containers[0].imagee"']);
			const silent = await api.transport.request({
				...request,
				body: { ...body, metadata: { name: 'q' } },
				query: { fieldValidation: 'Ignore' },
			});
			assert.deepEqual(silent.warnings, []);
		});

		test('rejects a wrong type, another kind, another version and another namespace', async () => {
			const messageOf = async (body: unknown): Promise<string> => (await refusal(post(PODS, body))).message;
			assert.equal(
				await messageOf({ ...podNamed('p'), spec: { containers: 'none' } }),
				'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container',
			);
			assert.equal(
				await messageOf({ ...podNamed('p'), kind: 'Node' }),
				'Node in version "v1" cannot be handled as a Pod: converting (v1.Node) to (v1.Pod): unknown conversion',
			);
			assert.equal(
				await messageOf({ ...podNamed('p'), apiVersion: 'v2' }),
				'the API version in the data (v2) does not match the expected API version (v1)',
			);
			assert.equal(
				await messageOf(podNamed('p', { namespace: 'kube-system' })),
				'the namespace of the provided object does not match the namespace sent on the request',
			);
			assert.equal(
				await messageOf(podNamed('p', { resourceVersion: '7' })),
				'resourceVersion should not be set on objects to be created',
			);
		});

		test('accepts a body without kind and apiVersion', async () => {
			const { kind: _kind, apiVersion: _version, ...body } = podNamed('p');
			const { kind, apiVersion } = await post(PODS, body);
			assert.deepEqual([apiVersion, kind], ['v1', 'Pod']);
		});

		test('stores nothing in a dry run', async () => {
			const { revision } = api.opened.store;
			const pod = await post(PODS, podNamed('p'), { dryRun: 'All' });
			assert.ok(pod.metadata.uid);
			assert.equal(pod.metadata.resourceVersion, undefined);
			assert.equal(api.opened.store.revision, revision);
			assert.equal((await refusal(post(PODS, podNamed('p'), { dryRun: 'Some' }))).code, 422);
		});

		test('needs a Namespace that exists and is not terminating', async () => {
			const missing = await refusal(post('/api/v1/namespaces/nowhere/pods', podNamed('p')));
			assert.equal(missing.code, 404);
			assert.equal(missing.message, 'namespaces "nowhere" not found');
			await post('/api/v1/namespaces', { metadata: { name: 'doomed' } });
			await remove('/api/v1/namespaces/doomed');
			const ending = await refusal(post('/api/v1/namespaces/doomed/pods', podNamed('p')));
			assert.equal(ending.code, 403);
			assert.equal(
				ending.message,
				'pods "p" is forbidden: unable to create new content in namespace doomed because it is being terminated',
			);
			assert.deepEqual(ending.status.details?.causes, [
				{
					reason: 'NamespaceTerminating',
					message: 'namespace doomed is being terminated',
					field: 'metadata.namespace',
				},
			]);
		});

		test('removes a repeated owner reference and warns', async () => {
			const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u' };
			const body = podNamed('p', { ownerReferences: [owner, owner] });
			const { object, warnings } = await api.transport.request({ method: 'POST', path: PODS, body });
			assert.equal((object as KubeObject).metadata.ownerReferences?.length, 1);
			assert.match(warnings[0] ?? '', /duplicate UID\(s\) observed: u$/);
		});
	});
}

/** The tests of the binding of a Pod. */
function bindingContract(api: ApiUnderTest): void {
	const { post, get, remove } = api;

	describe('binding', () => {
		test('assigns a Pod to a node, once', async () => {
			await post(PODS, podNamed('p'));
			const target = { kind: 'Node', name: 'node' };
			const status = await post(`${PODS}/p/binding`, {
				metadata: { name: 'p', annotations: { a: 'b' } },
				target,
			});
			assert.equal(status.kind, 'Status');
			const pod = await get(`${PODS}/p`);
			assert.equal(pod.spec.nodeName, 'node');
			assert.deepEqual(pod.metadata.annotations, { a: 'b' });
			assert.deepEqual(
				pod.status.conditions?.map(({ type, status: is }) => [type, is]),
				[['PodScheduled', 'True']],
			);
			const error = await refusal(post(`${PODS}/p/binding`, { metadata: { name: 'p' }, target }));
			assert.equal(
				error.message,
				'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "node"',
			);
		});

		test('rejects a Pod that is being deleted, and a target that is not a Node', async () => {
			await post(PODS, podNamed('p', { finalizers: ['a/b'] }));
			const untargeted = await refusal(post(`${PODS}/p/binding`, { metadata: { name: 'p' }, target: {} }));
			assert.equal(untargeted.code, 422);
			const other = { metadata: { uid: 'other' }, target: { name: 'node' } };
			assert.equal((await refusal(post(`${PODS}/p/binding`, other))).reason, 'Conflict');
			await remove(`${PODS}/p`);
			const late = await refusal(post(`${PODS}/p/binding`, { metadata: {}, target: { name: 'node' } }));
			assert.match(late.message, /pod p is being deleted, cannot be assigned to a host$/);
		});
	});
}
