/** A server to test, and the objects and requests that most of its tests use. */

import assert from 'node:assert/strict';
import type { NodeApi } from '../../api/contract/node-api.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { ApiTransport } from '../../api/contract/transport.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import { resources } from '../../api/resources.ts';
import { Metrics } from '../../base/metrics.ts';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import { bootstrap } from '../maintenance/bootstrap.ts';
import { ApiServer } from '../server.ts';
import type { ApiServerOptions } from '../server-options.ts';

/** A server with a store in memory and a clock that does not advance by itself. */
export interface TestServer {
	readonly server: ApiServer;
	readonly store: MemoryStore;
	readonly clock: VirtualClock;
	readonly metrics: Metrics;
	/** Errors that `onError` received. */
	readonly faults: unknown[];
}

type TestSetup = Pick<
	ApiServerOptions,
	'authorizer' | 'admissionPlugins' | 'mountTokens' | 'allowPrivileged'
> & {
	readonly store?: MemoryStore;
};

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
export interface TestConnection {
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
		// Admission sets it in new Pods, and an update must not change it.
		spec: { serviceAccountName: 'default', containers: [{ name: 'main', image: 'busybox' }] },
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
