import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { NodeApi } from '../../api/contract/node-api.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { ApiRequest, ApiTransport } from '../../api/contract/transport.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { Table } from '../../api/meta/table.ts';
import { resources } from '../../api/resources.ts';
import { Metrics } from '../../base/metrics.ts';
import { SeededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import { bootstrap } from '../maintenance/bootstrap.ts';
import { ApiServer, type ApiServerOptions } from '../server.ts';

/** The behaviour of the API: the same tests for callers in the process and for HTTPS clients. */

/** A server with a store in memory and a clock that does not advance by itself. */
export interface TestServer {
	readonly server: ApiServer;
	readonly store: MemoryStore;
	readonly clock: VirtualClock;
	readonly metrics: Metrics;
	/** Errors that `onError` received. */
	readonly faults: unknown[];
}

type TestSetup = Pick<ApiServerOptions, 'authorizer' | 'admissionPlugins'> & { readonly store?: MemoryStore };

/** Starts a server with the Namespaces that every cluster has. */
export async function openTestServer(
	options: TestSetup & { readonly nodeApi?: NodeApi; readonly traits?: RuntimeTraits } = {},
): Promise<TestServer> {
	const { store = new MemoryStore(), nodeApi, traits, ...more } = options;
	const clock = new VirtualClock();
	const metrics = new Metrics();
	const faults: unknown[] = [];
	const server = new ApiServer({
		store,
		resources,
		clock,
		metrics,
		random: new SeededRandom(1),
		version: '0.0.0',
		onError: (_where, error) => void faults.push(error),
		nodeApi: () => nodeApi,
		runtimeTraits: () => traits,
		...more,
	});
	await server.start();
	await bootstrap(server);
	return { server, store, clock, metrics, faults };
}

/** A transport to the server under test. */
export interface Connection {
	readonly transport: ApiTransport;
	close(): Promise<void>;
}

export const PODS = '/api/v1/namespaces/default/pods';
export const JOBS = '/apis/batch/v1/namespaces/default/jobs';

/** A minimal valid Pod. */
export function podNamed(name: string, metadata: object = {}): Record<string, unknown> {
	return {
		kind: 'Pod',
		apiVersion: 'v1',
		metadata: { name, ...metadata },
		spec: { containers: [{ name: 'main', image: 'busybox' }] },
	};
}

/** A minimal valid Job. */
export function jobNamed(name: string): Record<string, unknown> {
	const spec = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] };
	return { kind: 'Job', apiVersion: 'batch/v1', metadata: { name }, spec: { template: { spec } } };
}

/** Returns the API error with which `act` rejects. */
export async function refusal(act: Promise<unknown>): Promise<ApiError> {
	const error = await act.then(
		() => undefined,
		(reason: unknown) => reason,
	);
	assert.ok(error instanceof ApiError, `expected an ApiError, got ${String(error)}`);
	return error;
}

interface Metadata {
	readonly kind: string;
	readonly items: readonly KubeObject[];
}

/** Registers the tests of the API for one transport. */
export function apiContract(name: string, connect: (opened: TestServer) => Promise<Connection>): void {
	describe(name, () => {
		let opened: TestServer;
		let connection: Connection;

		beforeEach(async () => {
			opened = await openTestServer({ nodeApi: ECHO_NODE });
			connection = await connect(opened);
		});
		afterEach(async () => {
			await connection.close();
			opened.server.close();
			assert.deepEqual(opened.faults, []);
		});

		const send = async (request: ApiRequest): Promise<Pod> => {
			const { object } = await connection.transport.request(request);
			// `as`: most tests use Pods, and none reads a field that its object does not have.
			return object as Pod;
		};
		const post = (path: string, body: unknown, query = {}): Promise<Pod> =>
			send({ method: 'POST', path, body, query });
		const put = (path: string, body: unknown, query = {}): Promise<Pod> =>
			send({ method: 'PUT', path, body, query });
		const get = (path: string, query = {}): Promise<Pod> => send({ method: 'GET', path, query });
		const patch = (path: string, kind: string, body: unknown, query = {}): Promise<Pod> =>
			send({ method: 'PATCH', path, body, query, contentType: `application/${kind}+json` });
		const remove = (path: string, body?: unknown, query = {}): Promise<Pod> =>
			send({ method: 'DELETE', path, body, query });
		const list = async (
			path: string,
			query = {},
		): Promise<{ readonly items: readonly KubeObject[]; readonly metadata: Record<string, unknown> }> => {
			const { object } = await connection.transport.request({ method: 'GET', path, query });
			return object as never; // `as`: see above.
		};
		const names = async (path: string, query = {}): Promise<readonly string[]> =>
			(await list(path, query)).items.map(({ metadata }) => metadata.name ?? '');

		describe('create', () => {
			test('sets the fields that only the server sets', async () => {
				const pod = await post(
					PODS,
					podNamed('p', { uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z' }),
				);
				assert.equal(pod.metadata.namespace, 'default');
				assert.match(pod.metadata.uid ?? '', /^[0-9a-f-]{36}$/);
				assert.equal(pod.metadata.creationTimestamp, '2026-01-01T00:00:00Z');
				assert.equal(pod.metadata.generation, 1);
				assert.equal(pod.metadata.resourceVersion, String(opened.store.revision));
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
				const { warnings } = await connection.transport.request(request);
				assert.deepEqual(warnings, ['unknown field "spec.containers[0].imagee"']);
				const silent = await connection.transport.request({
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
				const { revision } = opened.store;
				const pod = await post(PODS, podNamed('p'), { dryRun: 'All' });
				assert.ok(pod.metadata.uid);
				assert.equal(pod.metadata.resourceVersion, undefined);
				assert.equal(opened.store.revision, revision);
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
				const { object, warnings } = await connection.transport.request({ method: 'POST', path: PODS, body });
				assert.equal((object as KubeObject).metadata.ownerReferences?.length, 1);
				assert.match(warnings[0] ?? '', /duplicate UID\(s\) observed: u$/);
			});
		});

		describe('get and list', () => {
			test('answer NotFound for a missing object', async () => {
				const error = await refusal(get(`${JOBS}/none`));
				assert.equal(error.message, 'jobs.batch "none" not found');
				assert.deepEqual(error.status.details, { name: 'none', group: 'batch', kind: 'jobs' });
				assert.equal((await refusal(get('/apis/batch/v2/jobs'))).code, 404);
				assert.equal((await refusal(get('/nothing'))).code, 404);
				assert.equal((await refusal(get(`${PODS}/p/nothing`))).code, 404);
				assert.equal((await refusal(send({ method: 'PUT', path: PODS }))).code, 405);
				assert.deepEqual(await names('/api/v1/namespaces/nowhere/pods'), []);
			});

			test('select by namespace, labels and fields, in the order of names', async () => {
				await post(PODS, podNamed('b', { labels: { app: 'x' } }));
				await post(PODS, podNamed('a', { labels: { app: 'y' } }));
				await post('/api/v1/namespaces/kube-system/pods', podNamed('c', { labels: { app: 'x' } }));
				assert.deepEqual(await names(PODS), ['a', 'b']);
				assert.deepEqual(await names('/api/v1/pods'), ['a', 'b', 'c']);
				assert.deepEqual(await names('/api/v1/pods', { labelSelector: 'app in (x, z)' }), ['b', 'c']);
				assert.deepEqual(await names(PODS, { fieldSelector: 'metadata.name=a' }), ['a']);
				assert.deepEqual(await names('/api/v1/pods', { fieldSelector: 'metadata.name=c' }), ['c']);
				assert.deepEqual(await names('/api/v1/pods', { fieldSelector: 'status.phase!=Pending' }), []);
				const error = await refusal(list(PODS, { fieldSelector: 'foo=bar' }));
				assert.equal(error.message, 'field label not supported: foo');
			});

			test('return lists with a resourceVersion and complete items', async () => {
				const pod = await post(PODS, podNamed('a'));
				const { metadata, items } = await list(PODS);
				assert.equal(metadata.resourceVersion, String(opened.store.revision));
				// Over HTTPS, items have no kind and apiVersion, which the list has.
				assert.deepEqual(
					items.map((item) => ({ ...item, kind: 'Pod', apiVersion: 'v1' })),
					[pod],
				);
				await post(PODS, podNamed('b'));
				assert.deepEqual(await names(PODS), ['a', 'b']);
				await remove(`${PODS}/a`);
				assert.deepEqual(await names(PODS), ['b']);
			});

			test('page through one revision, whatever changes meanwhile', async () => {
				for (const name of ['a', 'b', 'c', 'd']) await post(PODS, podNamed(name));
				const first = await list(PODS, { limit: '2' });
				assert.equal(first.metadata.remainingItemCount, 2);
				await remove(`${PODS}/c`);
				await post(PODS, podNamed('bb'));
				const rest = { limit: '2', continue: String(first.metadata.continue) };
				const second = await list(PODS, rest);
				assert.deepEqual(
					second.items.map(({ metadata }) => metadata.name),
					['c', 'd'],
				);
				assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
				assert.equal(second.metadata.continue, undefined);
				await opened.store.compact(opened.store.revision);
				const error = await refusal(list(PODS, rest));
				assert.equal(error.code, 410);
				assert.equal(error.reason, 'Expired');
				// The token in the error continues with the current objects.
				const now = await list(PODS, { continue: String(error.status.metadata.continue) });
				assert.deepEqual(
					now.items.map(({ metadata }) => metadata.name),
					['bb', 'd'],
				);
				assert.equal(now.metadata.resourceVersion, String(opened.store.revision));
			});

			test('return a past revision with resourceVersionMatch=Exact', async () => {
				const pod = await post(PODS, podNamed('a'));
				await remove(`${PODS}/a`);
				const then = { resourceVersion: pod.metadata.resourceVersion, resourceVersionMatch: 'Exact' };
				assert.deepEqual(await names(PODS, then), ['a']);
				assert.deepEqual(await names(PODS, { ...then, resourceVersionMatch: 'NotOlderThan' }), []);
				assert.deepEqual(await names(PODS, { resourceVersion: '0' }), []);
			});

			test('return remainingItemCount on each page, also of a past revision', async () => {
				for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await post(PODS, podNamed(name));
				const first = await list(PODS, { limit: '2' });
				await remove(`${PODS}/f`);
				const second = await list(PODS, { limit: '1', continue: String(first.metadata.continue) });
				const third = await list(PODS, { limit: '5', continue: String(second.metadata.continue) });
				assert.deepEqual(
					[first, second, third].map(({ metadata }) => metadata.remainingItemCount),
					[4, 3, undefined],
				);
				assert.deepEqual(
					third.items.map(({ metadata }) => metadata.name),
					['d', 'e', 'f'],
				);
			});

			test('apply selectors and limit to a past revision', async () => {
				for (const name of ['a', 'b', 'c', 'd']) {
					await post(PODS, podNamed(name, { labels: { odd: String(name === 'a' || name === 'c') } }));
				}
				const revision = String(opened.store.revision);
				for (const name of ['a', 'b', 'c', 'd']) await remove(`${PODS}/${name}`);
				const then = { resourceVersion: revision, resourceVersionMatch: 'Exact', labelSelector: 'odd=true' };
				assert.deepEqual(await names(PODS, then), ['a', 'c']);
				const first = await list(PODS, { ...then, limit: '1' });
				assert.equal(first.metadata.remainingItemCount, undefined);
				const rest = { labelSelector: 'odd=true', limit: '1', continue: String(first.metadata.continue) };
				const { items, metadata } = await list(PODS, rest);
				assert.deepEqual([items[0]?.metadata.name, metadata.continue], ['c', undefined]);
			});

			test('wait three seconds for a future revision', async () => {
				const next = String(opened.store.revision + 1);
				const asked = [
					list(PODS, { resourceVersion: next }),
					get('/api/v1/namespaces/default', { resourceVersion: next }),
				];
				// Over HTTPS, this response shows that the other requests have arrived.
				await get('/api/v1/namespaces/default');
				const pod = await post(PODS, podNamed('p'));
				assert.equal(pod.metadata.resourceVersion, next);
				await Promise.all(asked);
				const late = refusal(list(PODS, { resourceVersion: '999' }));
				const lateToo = refusal(get('/api/v1/namespaces/default', { resourceVersion: '999' }));
				await get('/api/v1/namespaces/default');
				opened.clock.advance(3000);
				const error = await late;
				assert.equal(error.code, 504);
				assert.match(error.message, /^Timeout: Too large resource version: 999, current: \d+$/);
				assert.equal((await lateToo).code, 504);
				assert.equal((await refusal(list(PODS, { resourceVersion: 'x' }))).code, 400);
			});

			test('return Tables', async () => {
				await post(PODS, podNamed('a'));
				const table = async (path: string, version: string, query = {}): Promise<Table> => {
					const accept = `application/json;as=Table;v=${version};g=meta.k8s.io`;
					const { object } = await connection.transport.request({ method: 'GET', path, accept, query });
					return object as Table; // `as`: the header asks for it.
				};
				for (const version of ['v1', 'v1beta1']) {
					const { kind, apiVersion, columnDefinitions, rows } = await table(PODS, version);
					assert.deepEqual([kind, apiVersion], ['Table', `meta.k8s.io/${version}`]);
					assert.equal(columnDefinitions?.[0]?.name, 'Name');
					assert.equal(rows[0]?.cells[0], 'a');
					assert.equal(rows[0]?.object?.kind, 'PartialObjectMetadata');
					assert.equal(rows[0]?.object?.apiVersion, `meta.k8s.io/${version}`);
				}
				const single = await table(`${PODS}/a`, 'v1', { includeObject: 'Object' });
				assert.deepEqual(single.rows[0]?.object, await get(`${PODS}/a`));
				assert.equal((await table(PODS, 'v1', { includeObject: 'None' })).rows[0]?.object, null);
			});

			test('return only metadata, of an object or of a list', async () => {
				await post(PODS, podNamed('a'));
				const ask = async (path: string, as: string): Promise<Metadata> => {
					const accept = `application/json;as=${as};v=v1;g=meta.k8s.io`;
					const { object } = await connection.transport.request({ method: 'GET', path, accept });
					return object as Metadata; // `as`: the header asks for it.
				};
				const { kind, items } = await ask(PODS, 'PartialObjectMetadataList');
				assert.equal(kind, 'PartialObjectMetadataList');
				assert.deepEqual(Object.keys(items[0] ?? {}), ['kind', 'apiVersion', 'metadata']);
				const one = await ask(`${PODS}/a`, 'PartialObjectMetadata');
				assert.deepEqual(one, items[0]);
				const list406 = await refusal(ask(PODS, 'PartialObjectMetadata'));
				assert.equal(list406.code, 406);
				assert.equal(
					list406.message,
					'you requested PartialObjectMetadata, but the requested object is a list (*core.PodList)',
				);
				assert.equal(
					(await refusal(ask(`${PODS}/a`, 'PartialObjectMetadataList'))).message,
					'you requested PartialObjectMetadataList, but the requested object is not a list (*core.Pod)',
				);
			});

			test('leave out the name in the details of errors that concern no object', async () => {
				const error = await refusal(list(PODS, { resourceVersionMatch: 'Exact' }));
				assert.equal(error.code, 422);
				assert.deepEqual(Object.keys(error.status.details ?? {}).sort(), ['causes', 'group', 'kind']);
			});
		});

		describe('update', () => {
			test('needs the latest resourceVersion, or none', async () => {
				const pod = await post(PODS, podNamed('p'));
				const labelled = { ...pod, metadata: { ...pod.metadata, labels: { a: '1' } } };
				const updated = await put(`${PODS}/p`, labelled);
				assert.deepEqual(updated.metadata.labels, { a: '1' });
				assert.notEqual(updated.metadata.resourceVersion, pod.metadata.resourceVersion);
				const error = await refusal(put(`${PODS}/p`, labelled));
				assert.equal(error.reason, 'Conflict');
				assert.equal(
					error.message,
					'Operation cannot be fulfilled on pods "p": the object has been modified; please apply your changes to the latest version and try again',
				);
				const unconditional = await put(`${PODS}/p`, podNamed('p', { labels: { a: '2' } }));
				assert.deepEqual(unconditional.metadata.labels, { a: '2' });
			});

			test('does not write if nothing changes', async () => {
				const pod = await post(PODS, podNamed('p', { labels: { a: '1', b: '2' } }));
				const { revision } = opened.store;
				assert.deepEqual(await put(`${PODS}/p`, pod), pod);
				assert.deepEqual(await put(`${PODS}/p`, podNamed('p', { labels: { b: '2', a: '1' } })), pod);
				assert.deepEqual(await patch(`${PODS}/p`, 'merge-patch', {}), pod);
				assert.equal(opened.store.revision, revision);
			});

			test('creates no object, and rejects the UID of a deleted one', async () => {
				assert.equal((await refusal(put(`${PODS}/p`, podNamed('p')))).code, 404);
				await post(PODS, podNamed('p'));
				const error = await refusal(put(`${PODS}/p`, podNamed('p', { uid: 'other' })));
				assert.equal(error.code, 409);
				assert.match(error.message, /Precondition failed: UID in precondition: other, UID in object meta: /);
				const misnamed = await refusal(put(`${PODS}/p`, podNamed('q')));
				assert.equal(misnamed.message, 'the name of the object (q) does not match the name on the URL (p)');
			});

			test('keeps the fields that only the server sets', async () => {
				const pod = await post(PODS, podNamed('p', { finalizers: ['a/b'] }));
				await remove(`${PODS}/p`);
				const updated = await put(`${PODS}/p`, podNamed('p', { finalizers: ['a/b'], labels: { a: '1' } }));
				assert.equal(updated.metadata.uid, pod.metadata.uid);
				assert.equal(updated.metadata.creationTimestamp, pod.metadata.creationTimestamp);
				assert.equal(updated.metadata.deletionTimestamp, '2026-01-01T00:00:00Z');
				const forged = podNamed('p', { finalizers: ['a/b'], deletionTimestamp: '2030-01-01T00:00:00Z' });
				const unforged = await put(`${PODS}/p`, forged);
				assert.equal(unforged.metadata.deletionTimestamp, '2026-01-01T00:00:00Z');
			});

			test('changes the status only through its subresource', async () => {
				const pod = await post(PODS, podNamed('p'));
				const running = { ...pod, status: { ...pod.status, phase: 'Running' } };
				assert.equal((await put(`${PODS}/p`, running)).status.phase, 'Pending');
				const changed = { ...running, spec: { ...pod.spec, nodeName: 'elsewhere' } };
				const updated = await put(`${PODS}/p/status`, changed);
				assert.equal(updated.status.phase, 'Running');
				assert.equal(updated.spec.nodeName, undefined);
				assert.deepEqual(await get(`${PODS}/p/status`), updated);
			});

			test('performs all checks but does not write in a dry run', async () => {
				await post(PODS, podNamed('p'));
				const { revision } = opened.store;
				const tried = await patch(
					`${PODS}/p`,
					'merge-patch',
					{ metadata: { labels: { a: '1' } } },
					{ dryRun: 'All' },
				);
				assert.deepEqual(tried.metadata.labels, { a: '1' });
				assert.equal(opened.store.revision, revision);
			});
		});

		describe('patch', () => {
			test('applies strategic merge, merge and JSON patches', async () => {
				await post(PODS, podNamed('p', { labels: { a: '1' }, finalizers: ['a/b', 'c/d'] }));
				const merged = await patch(`${PODS}/p`, 'merge-patch', { metadata: { labels: { a: null, b: '2' } } });
				assert.deepEqual(merged.metadata.labels, { b: '2' });
				const strategic = await patch(`${PODS}/p`, 'strategic-merge-patch', {
					metadata: { '$deleteFromPrimitiveList/finalizers': ['a/b'] },
					spec: { containers: [{ name: 'main', image: 'other' }] },
				});
				assert.deepEqual(strategic.metadata.finalizers, ['c/d']);
				assert.deepEqual(
					strategic.spec.containers.map(({ name, image }) => [name, image]),
					[['main', 'other']],
				);
				const steps = [{ op: 'replace', path: '/metadata/labels/b', value: '3' }];
				assert.deepEqual((await patch(`${PODS}/p`, 'json-patch', steps)).metadata.labels, { b: '3' });
			});

			test('rejects a stale resourceVersion and the name of another object', async () => {
				const pod = await post(PODS, podNamed('p'));
				await patch(`${PODS}/p`, 'merge-patch', { metadata: { labels: { a: '1' } } });
				const { resourceVersion } = pod.metadata;
				const stale = await refusal(
					patch(`${PODS}/p`, 'merge-patch', { metadata: { resourceVersion, labels: { a: '2' } } }),
				);
				assert.equal(stale.reason, 'Conflict');
				const other = await refusal(
					patch(`${PODS}/p`, 'strategic-merge-patch', { metadata: { uid: 'other' } }),
				);
				assert.equal(other.reason, 'Invalid');
				assert.equal((await refusal(patch(`${PODS}/q`, 'merge-patch', {}))).code, 404);
			});

			test('loses none of many concurrent patches', async () => {
				await post(PODS, podNamed('p'));
				const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
				await Promise.all(
					keys.map((key) => patch(`${PODS}/p`, 'merge-patch', { metadata: { annotations: { [key]: '' } } })),
				);
				assert.deepEqual(
					Object.keys((await get(`${PODS}/p`)).metadata.annotations ?? {}).sort(),
					keys.sort(),
				);
			});

			test('shows the result that strict validation rejects', async () => {
				await post(PODS, podNamed('p'));
				const error = await refusal(
					patch(`${PODS}/p`, 'strategic-merge-patch', { spec: { foo: 1 } }, { fieldValidation: 'Strict' }),
				);
				assert.equal(
					error.message,
					' "" is invalid: patch: Invalid value: "map[spec:map[foo:1]]": strict decoding error: unknown field "spec.foo"',
				);
			});

			test('rejects server-side apply', async () => {
				const error = await refusal(
					send({ method: 'PATCH', path: `${PODS}/p`, contentType: 'application/apply-patch+yaml', body: {} }),
				);
				assert.equal(error.code, 415);
				const forced = await refusal(patch(`${PODS}/p`, 'merge-patch', {}, { force: 'true' }));
				assert.match(forced.message, /force: Forbidden: may not be specified for non-apply patch$/);
			});
		});

		describe('delete', () => {
			test('removes an object without finalizers and returns its name and UID', async () => {
				const job = await post(JOBS, jobNamed('j'));
				const { uid } = job.metadata;
				const status = await remove(`${JOBS}/j`, { propagationPolicy: 'Background' });
				assert.deepEqual(status, {
					kind: 'Status',
					apiVersion: 'v1',
					metadata: {},
					status: 'Success',
					details: { name: 'j', group: 'batch', kind: 'jobs', uid },
				});
				assert.equal((await refusal(remove(`${JOBS}/j`))).code, 404);
			});

			test('orphans the Pods of a Job by default and warns about it', async () => {
				const warning =
					'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';
				for (const path of [`${JOBS}/j`, JOBS]) {
					await post(JOBS, jobNamed('j'));
					const first = await connection.transport.request({ method: 'DELETE', path });
					assert.deepEqual(first.warnings, [warning]);
					const { metadata } = await get(`${JOBS}/j`);
					assert.deepEqual(metadata.finalizers, ['orphan']);
					assert.equal(metadata.deletionGracePeriodSeconds, 0);
					assert.equal(metadata.generation, 2);
					const again = await connection.transport.request({ method: 'DELETE', path });
					assert.deepEqual(again.warnings, [warning]);
					const orphan = { method: 'DELETE' as const, path, body: { propagationPolicy: 'Orphan' } };
					assert.deepEqual((await connection.transport.request(orphan)).warnings, []);
					await patch(`${JOBS}/j`, 'merge-patch', { metadata: { finalizers: null } });
				}
			});

			test('sets the foreground finalizer, by body or by query', async () => {
				await post(JOBS, jobNamed('j'));
				await post(JOBS, jobNamed('k'));
				const foreground = { propagationPolicy: 'Foreground' };
				const byBody = await remove(`${JOBS}/j`, foreground);
				const byQuery = await remove(`${JOBS}/k`, undefined, foreground);
				assert.deepEqual(byBody.metadata.finalizers, ['foregroundDeletion']);
				assert.deepEqual(byQuery.metadata.finalizers, ['foregroundDeletion']);
				const released = await patch(`${JOBS}/j`, 'merge-patch', { metadata: { finalizers: null } });
				assert.equal(released.metadata.finalizers, undefined);
				assert.equal((await refusal(get(`${JOBS}/j`))).code, 404);
			});

			test('keeps an object until its last finalizer is removed', async () => {
				await post(PODS, podNamed('p', { finalizers: ['a/b', 'c/d'] }));
				await remove(`${PODS}/p`);
				const { revision } = opened.store;
				await remove(`${PODS}/p`);
				assert.equal(opened.store.revision, revision);
				const added = { metadata: { finalizers: ['a/b', 'c/d', 'e/f'] } };
				assert.equal((await refusal(patch(`${PODS}/p`, 'merge-patch', added))).code, 422);
				await patch(`${PODS}/p`, 'merge-patch', { metadata: { finalizers: ['c/d'] } });
				await get(`${PODS}/p`);
				await patch(`${PODS}/p`, 'merge-patch', { metadata: { finalizers: [] } });
				assert.equal((await refusal(get(`${PODS}/p`))).code, 404);
			});

			test('gives a running Pod its grace period, which can only get shorter', async () => {
				await post(PODS, podNamed('p'));
				await post(`${PODS}/p/binding`, { metadata: { name: 'p' }, target: { name: 'node' } });
				const first = await remove(`${PODS}/p`);
				assert.equal(first.metadata.deletionTimestamp, '2026-01-01T00:00:30Z');
				assert.equal(first.metadata.deletionGracePeriodSeconds, 30);
				assert.equal(first.metadata.generation, 2);
				const longer = await remove(`${PODS}/p`, { gracePeriodSeconds: 60 });
				assert.equal(longer.metadata.deletionGracePeriodSeconds, 30);
				const shorter = await remove(`${PODS}/p`, { gracePeriodSeconds: 5 });
				assert.equal(shorter.metadata.deletionTimestamp, '2026-01-01T00:00:05Z');
				assert.equal(shorter.metadata.generation, 2);
				const kept = await patch(`${PODS}/p`, 'merge-patch', { metadata: { labels: { a: '1' } } });
				assert.equal(kept.metadata.deletionTimestamp, '2026-01-01T00:00:05Z');
				const gone = await remove(`${PODS}/p`, { gracePeriodSeconds: 0 });
				assert.equal(gone.kind, 'Pod');
				assert.equal((await refusal(get(`${PODS}/p`))).code, 404);
			});

			test('keeps a Pod with a finalizer beyond its grace period', async () => {
				await post(PODS, podNamed('p', { finalizers: ['a/b'] }));
				await post(`${PODS}/p/binding`, { metadata: { name: 'p' }, target: { name: 'node' } });
				await remove(`${PODS}/p`);
				const over = await remove(`${PODS}/p`, { gracePeriodSeconds: 0 });
				assert.equal(over.metadata.deletionGracePeriodSeconds, 0);
				await patch(`${PODS}/p`, 'merge-patch', { metadata: { finalizers: null } });
				assert.equal((await refusal(get(`${PODS}/p`))).code, 404);
			});

			test('checks preconditions', async () => {
				const job = await post(JOBS, jobNamed('j'));
				const uid = await refusal(remove(`${JOBS}/j`, { preconditions: { uid: 'other' } }));
				assert.match(
					uid.message,
					/^Operation cannot be fulfilled on Job.batch "j": the UID in the precondition/,
				);
				const stale = { resourceVersion: '1' };
				assert.equal((await refusal(remove(`${JOBS}/j`, { preconditions: stale }))).reason, 'Conflict');
				const { resourceVersion } = job.metadata;
				await remove(`${JOBS}/j`, { preconditions: { resourceVersion }, propagationPolicy: 'Background' });
			});

			test('rejects options that are not valid', async () => {
				await post(JOBS, jobNamed('j'));
				const unknown = await refusal(remove(`${JOBS}/j`, { propagationPolicy: 'Sideways' }));
				assert.match(unknown.message, /propagationPolicy: Unsupported value: "Sideways"/);
				const both = { propagationPolicy: 'Orphan', orphanDependents: true };
				assert.equal((await refusal(remove(`${JOBS}/j`, both))).code, 422);
			});

			test('performs all checks but does not write in a dry run', async () => {
				await post(PODS, podNamed('p'));
				await post(JOBS, jobNamed('j'));
				const { revision } = opened.store;
				await remove(`${PODS}/p`, { dryRun: ['All'] });
				await remove(`${JOBS}/j`, undefined, { dryRun: 'All' });
				assert.equal(opened.store.revision, revision);
			});

			test('deletes a collection by selector, but not Namespaces', async () => {
				for (const name of ['a', 'b', 'c']) {
					await post(PODS, podNamed(name, { labels: { odd: String(name !== 'b') } }));
				}
				await remove(PODS, undefined, { labelSelector: 'odd=true' });
				assert.deepEqual(await names(PODS), ['b']);
				assert.equal((await refusal(remove('/api/v1/namespaces'))).code, 405);
			});
		});

		describe('namespaces', () => {
			test('are deleted in two steps', async () => {
				const path = '/api/v1/namespaces/doomed';
				await post('/api/v1/namespaces', { metadata: { name: 'doomed' } });
				const ending = await remove(path);
				assert.equal(ending.status.phase, 'Terminating');
				assert.equal(ending.metadata.deletionTimestamp, '2026-01-01T00:00:00Z');
				const again = await remove(path);
				assert.equal(again.metadata.resourceVersion, ending.metadata.resourceVersion);
				await put(`${path}/finalize`, { ...ending, spec: { finalizers: [] } });
				assert.equal((await refusal(get(path))).code, 404);
			});

			test('of the system cannot be deleted', async () => {
				const error = await refusal(remove('/api/v1/namespaces/default'));
				assert.equal(error.message, 'namespaces "default" is forbidden: this namespace may not be deleted');
			});
		});

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
	});
}

/** A node agent whose logs contain the options that it received. */
export const ECHO_NODE: NodeApi = {
	containerLog: async ({ signal: _signal, ...request }) =>
		(async function* () {
			yield Buffer.from(`${JSON.stringify(request)}\n`);
		})(),
};
