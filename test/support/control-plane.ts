import type { TestContext } from 'node:test';
import type { ResourceDefinition } from '../../src/api/contract/resource-definition.ts';
import type { ApiTransport } from '../../src/api/contract/transport.ts';
import { nodes } from '../../src/api/core/node/definition.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import { resources } from '../../src/api/resources.ts';
import { bootstrap } from '../../src/apiserver/maintenance/bootstrap.ts';
import { ApiServer } from '../../src/apiserver/server.ts';
import { type Clock, SystemClock } from '../../src/base/clock.ts';
import { Lifecycle } from '../../src/base/lifecycle.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import type { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { Client } from '../../src/client/client.ts';
import { type ControlPlaneOptions, controlPlane } from '../../src/main/server/control-plane.ts';
import { MemoryStore } from '../../src/store/memory/memory-store.ts';
import { pendingSteps, stepsDone } from './encoded-transport.ts';
import { transportFor } from './transports.ts';

/** The API server over a store in memory with the whole control plane, and no node agent. */
export interface ControlPlane {
	/** The client of the test, which calls the server directly. */
	readonly client: Client;
	/** The transport of the components. */
	readonly transport: ApiTransport;
	/** Resolves to the first version of the object for which `holds` is true; undefined if it does not exist. */
	until<T extends KubeObject>(
		definition: ResourceDefinition<T>,
		name: string,
		holds: (object: T | undefined) => boolean,
	): Promise<T | undefined>;
	/** The same for an object in this namespace; {@link until} looks into `default`. */
	untilIn<T extends KubeObject>(
		namespace: string,
		definition: ResourceDefinition<T>,
		name: string,
		holds: (object: T | undefined) => boolean,
	): Promise<T | undefined>;
	readonly metrics: Metrics;
	/** Creates a Node with this number of cpus. Over a virtual transport, resolves once the components show it. */
	addNode(name: string, cpus: number): Promise<void>;
}

/** How a test's control plane differs from the default. */
export interface ControlPlaneSetup {
	/** Makes the components' transport to the API server; by default that of the test ({@link transportFor}). */
	readonly reach?: (api: ApiServer) => Promise<ApiTransport>;
	/** See the option of {@link controlPlane}. By default no certificate is published. */
	readonly rootCertificatePem?: string;
	/** What the Service `kubernetes` has and leads to; by default there is none. */
	readonly apiServer?: ControlPlaneOptions['apiServer'];
	/** Where local volumes are created; by default nowhere. */
	readonly localVolumes?: ControlPlaneOptions['localVolumes'];
	/** Receives the errors that components report; by default they become diagnostics of the test. */
	readonly onError?: ControlPlaneOptions['onError'];
}

/**
 * Starts a control plane that stops at the end of the test. Errors that components report become diagnostics
 * of the test; they do not fail it.
 */
export async function startControlPlane(
	t: TestContext,
	clock: Clock = new SystemClock({ keepsAlive: true }),
	{ reach = async (api) => transportFor(t, api), ...more }: ControlPlaneSetup = {},
): Promise<ControlPlane> {
	const store = new MemoryStore();
	const metrics = new Metrics();
	const report = (where: string, ...rest: readonly unknown[]): void =>
		t.diagnostic(`${where}: ${rest.map(String).join(' ')}`);
	const api = new ApiServer({
		store,
		resources,
		clock,
		metrics,
		random: new SeededRandom(1),
		version: 'test',
		onError: report,
	});
	await api.start();
	await bootstrap(api);
	const lifecycle = new Lifecycle({
		clock: new SystemClock({ keepsAlive: true }),
		stopTimeoutMs: 30_000,
		onFailure: (failure) => report('control plane', failure),
	});
	// Registered before `reach` registers its own hook: the control plane has to stop while it has a transport.
	t.after(async () => {
		await lifecycle.stop();
		api.close();
		await store.close();
	});
	const transport = await reach(api);
	lifecycle.run(
		controlPlane({
			transport,
			clock,
			random: new SeededRandom(1),
			metrics,
			onError: report,
			signToken: (claims) => api.tokens.signLegacy(claims),
			...more,
		}),
	);
	const client = new Client(api);
	return {
		client,
		transport,
		metrics,
		addNode: async (name, cpus) => {
			const allocatable = { cpu: String(cpus), memory: '8Gi', pods: '110' };
			await client.resource(nodes).create({
				apiVersion: 'v1',
				kind: 'Node',
				metadata: { name, labels: { 'kubernetes.io/hostname': name } },
				spec: {},
				status: { capacity: allocatable, allocatable },
			});
			await stepsDone();
		},
		until: (definition, name, holds) => until(client, definition, { namespace: 'default', name }, holds),
		untilIn: (namespace, definition, name, holds) => until(client, definition, { namespace, name }, holds),
	};
}

async function until<T extends KubeObject>(
	client: Client,
	definition: ResourceDefinition<T>,
	{ namespace, name }: { readonly namespace: string; readonly name: string },
	holds: (object: T | undefined) => boolean,
): Promise<T | undefined> {
	const target = client.resource(definition, definition.namespaced ? namespace : undefined);
	const fieldSelector = `metadata.name=${name}`;
	const { items, metadata } = await target.list({ fieldSelector });
	if (holds(items[0])) return items[0];
	const found = Promise.withResolvers<T | undefined>();
	const watch = await target.watch(
		{ fieldSelector, resourceVersion: metadata.resourceVersion },
		{
			events: (batch) => {
				for (const { type, object } of batch) {
					const now = type === 'DELETED' ? undefined : object;
					if (type !== 'BOOKMARK' && holds(now)) found.resolve(now);
				}
			},
			ended: (error) => found.reject(error ?? new Error('the watch ended')),
		},
	);
	const timedOut = (): void =>
		found.reject(new Error(`${definition.kind} ${name} does not reach the state ${holds}`));
	const timeout = setTimeout(timedOut, LONGEST_WAIT_MS);
	return found.promise.finally(() => {
		clearTimeout(timeout);
		watch.stop();
	});
}

/** Longer than any expected change takes, also on a busy machine. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Advances a control plane's virtual time from timer to timer, and lets all effects of a timer finish before
 * the next one fires.
 */
export async function passTime(clock: VirtualClock, lengthMs: number): Promise<void> {
	const end = clock.now() + lengthMs;
	await idle();
	for (let due = clock.nextDue(); due !== undefined && due <= end; due = clock.nextDue()) {
		clock.advanceTo(due);
		await idle();
	}
	clock.advanceTo(end);
	await idle();
}

/**
 * How many event loop turns the longest chain of effects takes between two steps of a transport, since nothing
 * waits for input or output.
 */
const TURNS = 5;

async function idle(): Promise<void> {
	for (let turns = 0; turns < TURNS; ) {
		await new Promise((resolve) => setImmediate(resolve));
		turns = pendingSteps() > 0 ? 0 : turns + 1;
	}
}
