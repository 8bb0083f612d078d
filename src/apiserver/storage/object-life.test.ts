import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { apiVersionOf, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { resources } from '../../api/resources.ts';
import { countValues } from '../../base/json/json.ts';
import type { Method } from '../request.ts';
import { sendBytes } from '../testing/bytes-client.ts';
import { openTestServer, PODS, podNamed, type TestServer } from '../testing/server-contract-suite.ts';

/** Objects of the largest accepted size (see object-size.ts), from their creation to their deletion. */

const OWNER = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true };

interface Smallest {
	readonly body?: object;
	readonly status?: object;
	/** The name of the object. Default `largest`. */
	readonly name?: string;
}

/** The smallest valid object of each kind, and a status for the kinds that have one. */
const SMALLEST: Readonly<Record<string, Smallest>> = {
	events: { body: { involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' } } },
	namespaces: { status: { phase: 'Active', conditions: conditions(5) } },
	nodes: { status: { conditions: conditions(5) } },
	pods: {
		body: { spec: { containers: [{ name: 'main', image: 'busybox' }] } },
		status: { phase: 'Running', conditions: conditions(5) },
	},
	cronjobs: {
		body: { spec: { schedule: '@daily', jobTemplate: { spec: { template: { spec: podSpec() } } } } },
		status: { lastScheduleTime: '2026-01-31T08:00:00Z' },
	},
	jobs: { body: { spec: { template: { spec: podSpec() } } }, status: { conditions: conditions(1) } },
	deployments: {
		body: { spec: workloadSpec() },
		status: { replicas: 1, conditions: conditions(3) },
	},
	replicasets: { body: { spec: workloadSpec() }, status: { replicas: 1, conditions: conditions(1) } },
	replicationcontrollers: {
		body: { spec: { ...workloadSpec(), selector: { app: 'a' } } },
		status: { replicas: 1, conditions: conditions(1) },
	},
	leases: {},
	configmaps: {},
	secrets: {},
	serviceaccounts: {},
	priorityclasses: { body: { value: 7 } },
	runtimeclasses: { body: { handler: 'sandbox' } },
	poddisruptionbudgets: {
		body: { spec: { minAvailable: 1, selector: { matchLabels: { a: 'b' } } } },
		status: { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 },
	},
	persistentvolumes: {
		body: {
			spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' } },
		},
		status: { phase: 'Available' },
	},
	persistentvolumeclaims: {
		body: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
		status: { phase: 'Pending', conditions: conditions(2) },
	},
	services: {
		body: { spec: { type: 'ExternalName', externalName: 'example.com' } },
		status: { conditions: conditions(2) },
	},
	endpoints: { body: { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] } },
	endpointslices: { body: { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [] } },
	ipaddresses: { name: '10.0.0.1', body: { spec: { parentRef: { resource: 'services', name: 'a' } } } },
	servicecidrs: { body: { spec: { cidrs: ['10.0.0.0/24'] } }, status: { conditions: conditions(1) } },
	storageclasses: { body: { provisioner: 'example.com/p' } },
};

function workloadSpec(): object {
	const labels = { app: 'a' };
	const containers = [{ name: 'main', image: 'busybox' }];
	return { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
}

function podSpec(): object {
	return { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] };
}

function conditions(count: number): readonly object[] {
	const times = { lastTransitionTime: '2026-01-31T08:00:00Z' };
	return Array.from({ length: count }, (_, index) => ({ type: `T${index}`, status: 'False', ...times }));
}

/** Labels that fill an object up to a limit. */
interface Filling {
	label(index: number): readonly [string, string];
	/** The number of labels that fit into the object beside its own fields. */
	fitsInto(object: object): number;
}

const FILLINGS: Readonly<Record<string, Filling>> = {
	values: {
		label: (index) => [`k${index}`, 'v'],
		fitsInto: (object) => 20_000 - countValues({ ...object, labels: {} }, Infinity),
	},
	bytes: {
		label: (index) => [`k${index}`.padEnd(63, 'x'), 'v'.padEnd(63, 'x')],
		fitsInto: (object) => {
			const free = 1.5 * 1024 * 1024 - JSON.stringify({ ...object, labels: {} }).length;
			// Two texts of 63 characters, their quotes, a colon and a comma, which the first label lacks.
			return Math.floor((free + 1) / (2 * 65 + 2));
		},
	},
};

/** A server that receives JSON, so that the limits on bodies apply too. */
class JsonServer {
	readonly #server: TestServer['server'];

	constructor({ server }: TestServer) {
		this.#server = server;
	}

	/** Sends the request and resolves to the object in the response, which must not be an error. */
	async send(method: Method, path: string, body: object = {}): Promise<KubeObject> {
		const { code, json, message } = await this.trySend(method, path, body);
		assert.ok(code < 300, `${method} ${path}: ${message}`);
		return json as unknown as KubeObject; // `as`: the path leads to an object.
	}

	trySend(method: Method, path: string, body: object, query = {}): ReturnType<typeof sendBytes> {
		const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
		return sendBytes(this.#server, method, path, { body: JSON.stringify(body), contentType, query });
	}
}

function collectionOf(definition: ResourceDefinition): string {
	const { group, resource, namespaced } = definition;
	const root = `${group === '' ? '/api' : '/apis'}/${apiVersionOf(definition)}`;
	return `${root}/${namespaced ? 'namespaces/default/' : ''}${resource}`;
}

/** Creates the object with as many labels as are accepted. */
async function createLargest(
	server: JsonServer,
	path: string,
	{ object, filling }: { object: KubeObject; filling: Filling },
): Promise<KubeObject> {
	const withLabels = (count: number): object => {
		const labels = Object.fromEntries(Array.from({ length: count }, (_, index) => filling.label(index)));
		return { ...object, metadata: { ...object.metadata, labels } };
	};
	// The size of the object without labels says how many of them fit, except for the fields of controllers: a search from
	// far away would take most of the time of these tests.
	const alone = await server.trySend('POST', path, object, { dryRun: 'All' });
	const least = filling.fitsInto(withoutUncounted(alone.json as unknown as KubeObject)); // `as`: see send.
	let fits = least;
	const isAccepted = async (count: number): Promise<boolean> =>
		(await server.trySend('POST', path, withLabels(count), { dryRun: 'All' })).code !== 413;
	while (await isAccepted(fits + 1)) {
		fits += 1;
		assert.ok(fits < least + 10, 'the limit is reached');
	}
	return server.send('POST', path, withLabels(fits));
}

/** The object without the fields that do not count towards the limit. */
function withoutUncounted(object: KubeObject): object {
	const { status, metadata, ...rest } = object as KubeObject & { readonly status?: unknown };
	const { generation, ...counted } = metadata;
	return { ...rest, metadata: counted };
}

describe('controllers can update and delete an object of the largest accepted size, whatever its kind', () => {
	for (const definition of resources) {
		for (const [limit, filling] of Object.entries(FILLINGS)) {
			test(`${definition.kind}, at the limit on ${limit}`, () => liveOn(definition, filling));
		}
	}
});

async function liveOn(definition: ResourceDefinition, filling: Filling): Promise<void> {
	const opened = await openTestServer();
	const server = new JsonServer(opened);
	const path = collectionOf(definition);
	const smallest = SMALLEST[definition.resource] ?? assert.fail(`no ${definition.resource} known`);
	const { body, status, name = 'largest' } = smallest;
	assert.equal(status !== undefined, definition.status !== undefined);
	const { kind } = definition;
	const metadata = { name };
	const object = { apiVersion: apiVersionOf(definition), kind, metadata, ...body };
	const created = await createLargest(server, path, { object, filling });
	const at = `${path}/${name}`;
	const ownerReferences = Array.from({ length: 20 }, (_, index) => ({
		...{ apiVersion: 'batch/v1', kind: 'Job', name: `j${index}`, uid: `u${index}` },
		blockOwnerDeletion: true,
	}));
	const finalizers = ['example.com/a', 'example.com/b'];
	await server.send('PUT', at, created);
	await server.send('PATCH', at, { metadata: { ownerReferences, finalizers } });
	for (const fields of CONTROLLED_BY_KIND[definition.resource] ?? []) await server.send('PATCH', at, fields);
	if (status) {
		const told = await server.send('PUT', `${at}/status`, { ...(await server.send('GET', at)), status });
		await server.send('PUT', at, told);
	}
	await server.send('DELETE', at);
	const marked = await server.send('GET', at);
	assert.ok(marked.metadata.deletionTimestamp);
	const removed = { ...marked, metadata: { ...marked.metadata, finalizers: [] } };
	const last = kind === 'Namespace' ? { ...removed, spec: { finalizers: [] } } : removed;
	await server.send('PUT', kind === 'Namespace' ? `${at}/finalize` : at, last);
	assert.equal((await server.trySend('GET', at, {})).code, 404);
	opened.server.close();
}

/** The fields that controllers write into objects of a kind, besides metadata and status. */
const CONTROLLED_BY_KIND: Readonly<Record<string, readonly object[]>> = {
	nodes: [{ spec: { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] } }],
	leases: [{ spec: { holderIdentity: 'another', leaseDurationSeconds: 40 } }],
	persistentvolumes: [{ spec: { claimRef: { namespace: 'default', name: 'c', uid: 'u' } } }],
	persistentvolumeclaims: [{ spec: { volumeName: 'v' } }],
	events: [
		{ count: 10, lastTimestamp: '2026-01-31T08:00:00Z', message: '(combined from similar events): x' },
	],
};

test('an accepted Pod can be bound, have its status written, and be evicted', async () => {
	const opened = await openTestServer();
	const server = new JsonServer(opened);
	const pod = podNamed('large', { finalizers: ['example.com/kept'] });
	const containers = Array.from({ length: 2_800 }, (_, index) => ({ name: `c${index}`, image: 'a' }));
	await server.send('POST', PODS, { ...pod, spec: { containers } });
	const at = `${PODS}/large`;
	await server.send('POST', `${at}/binding`, { metadata: { name: 'large' }, target: { name: 'node' } });
	const time = '2026-01-31T08:00:00Z';
	const ended = { exitCode: 1, reason: 'Error', startedAt: time, finishedAt: time, containerID: 'x://1' };
	const running = { state: { running: { startedAt: time } }, lastState: { terminated: ended }, ready: true };
	const containerStatuses = containers.map(({ name }) => ({
		...{
			name,
			image: 'a',
			imageID: 'a',
			restartCount: 1,
			started: true,
			containerID: 'x://2',
			resources: {},
		},
		...running,
	}));
	const status = { phase: 'Running', containerStatuses };
	await server.send('PUT', `${at}/status`, { ...(await server.send('GET', at)), status });
	const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'large' } };
	await server.send('POST', `${at}/eviction`, eviction);
	const { status: told } = (await server.send('GET', at)) as Pod; // `as`: a path of Pods leads to a Pod.
	assert.equal(told.containerStatuses?.length, 2_800);
	assert.ok(told.conditions?.some(({ type }) => type === 'DisruptionTarget'));
	opened.server.close();
});

test('the body of a new object may have fields of controllers besides 20,000 values of its author', async () => {
	const opened = await openTestServer();
	const server = new JsonServer(opened);
	const post = async (name: string, env: number, metadata: object): Promise<readonly [number, string]> => {
		const variables = Array.from({ length: env }, (_, index) => ({ name: `E${index}`, value: 'v' }));
		const containers = [{ name: 'main', image: 'a', env: variables }];
		const body = { ...podNamed(name, metadata), spec: { containers } };
		const { code, message } = await server.trySend('POST', PODS, body);
		return [code, message];
	};
	assert.deepEqual(await post('alone', 6_700, {}), [
		...[413, 'Request entity too large: more than 20000 values'],
	]);
	const finalizers = Array.from({ length: 5_000 }, (_, index) => `example.com/f${index}`);
	assert.equal((await post('kept', 6_500, { finalizers }))[0], 201);
	assert.equal((await post('made', 13_000, { ownerReferences: [OWNER] }))[0], 201);
	const huge = await post('huge', 17_000, { ownerReferences: [OWNER] });
	assert.deepEqual(huge, [413, 'Request entity too large: more than 50000 values']);
	opened.server.close();
});
