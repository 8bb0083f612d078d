/**
 * Empties a Namespace that is being deleted and then takes the `kubernetes` finalizer off it, after
 * upstream's `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`.
 *
 * 1. Pods are deleted first; nothing else goes before the last Pod has, so that no Pod outlives what
 *    configures or restricts it.
 * 2. Each pass says in the Namespace's status what is left, and why.
 * 3. A failure with one resource does not keep the others from being deleted.
 */

import { namespaces } from '../api/core/namespace/definition.ts';
import type { Namespace } from '../api/core/namespace/schema.ts';
import { pods } from '../api/core/pod/definition.ts';
import type { Pod } from '../api/core/pod/schema.ts';
import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { timeOf } from '../api/meta/time.ts';
import type { Clock } from '../base/clock.ts';
import { approximate } from '../base/json.ts';
import type { Metrics } from '../base/metrics.ts';
import { again, DONE, type Outcome, ReconcileLoop } from '../base/reconcile-loop.ts';
import { type Client, pathOf } from '../client/client.ts';
import type { Informer } from '../client/informer.ts';
import {
	type DeletionPass,
	namespaceConditionsAfter,
	type RemainingContent,
} from '../plan/namespace/namespace-conditions.ts';
import type { CollectedResource } from './garbage-collector.ts';

/** What the namespace controller is made of. */
export interface NamespaceControllerOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly namespaces: Informer<Namespace>;
	/** Every namespaced resource that is watched; their deletions wake the namespace that waits for them. */
	readonly contents: readonly CollectedResource[];
	/** Namespaced resources without an informer (Events). */
	readonly unwatched: readonly ResourceDefinition[];
	readonly onError: (key: string, error: unknown) => void;
}

/** How long upstream expects an object with a finalizer to take (`finalizerEstimateSeconds`). */
const FINALIZER_ESTIMATE_SECONDS = 15;

/**
 * How long a Pod may outlast its grace before that counts as a failure: its node kills it at the end, and only
 * then removes it. Upstream allows nothing, and so reports a failure for a moment at every such Pod.
 */
const REMOVAL_SECONDS = 5;

/** What one pass over a resource found. */
type ResourcePass = RemainingContent & {
	/** After how many seconds the rest can be expected to be gone. */
	readonly estimateSeconds: number;
	/** Something is left that should be gone by now. */
	readonly overdue?: string;
	/** The API refused to list or delete. */
	readonly error?: string;
};

/** See the head of this file. */
export class NamespaceController {
	readonly #options: NamespaceControllerOptions;
	readonly #loop: ReconcileLoop;

	constructor(options: NamespaceControllerOptions) {
		this.#options = options;
		this.#loop = new ReconcileLoop({
			name: 'namespace',
			clock: options.clock,
			metrics: options.metrics,
			workers: 5,
			backoff: { baseMs: 5, capMs: 60_000 },
			reconcile: (key) => this.#reconcile(key),
			onError: options.onError,
		});
	}

	/** Works until `signal` aborts. */
	async run(signal: AbortSignal): Promise<void> {
		const { namespaces: informer, contents } = this.#options;
		informer.subscribe((namespace) => {
			if (namespace?.metadata.deletionTimestamp) this.#loop.add(namespace.metadata.name ?? '');
		});
		for (const { informer: content } of contents) {
			content.subscribe((object, old) => {
				const name = old?.metadata.namespace ?? '';
				if (!object && informer.get('', name)?.metadata.deletionTimestamp) this.#loop.add(name);
			});
		}
		await this.#loop.run(signal);
	}

	async #reconcile(name: string): Promise<Outcome> {
		const namespace = this.#options.namespaces.get('', name);
		if (!namespace?.metadata.deletionTimestamp || !namespace.spec.finalizers?.includes('kubernetes')) {
			return DONE;
		}
		try {
			return await this.#empty(namespace);
		} catch (error) {
			// The informer will bring the newer Namespace, and wakes this key with it.
			if (isApiError(error, 'NotFound') || isApiError(error, 'Conflict')) return DONE;
			throw error;
		}
	}

	async #empty(namespace: Namespace): Promise<Outcome> {
		const passes = await this.#deleteContent(namespace);
		const failures = passes.flatMap(({ error }) => error ?? []);
		const errors = [...failures, ...passes.flatMap(({ overdue }) => overdue ?? [])];
		const told = await this.#report(namespace, { remaining: passes, errors });
		if (failures.length > 0) throw new Error(failures.join(', '));
		const left = passes.filter(({ count }) => count > 0);
		if (left.length === 0) {
			await this.#finalize(told);
			return DONE;
		}
		// The removal of each object wakes the key too. The timer serves resources without an informer, and
		// counts finalizers again that were taken off one by one.
		const estimate = Math.max(...left.map(({ estimateSeconds }) => estimateSeconds));
		return again((Math.floor(estimate / 2) + 1) * 1000);
	}

	/** Deletes the Pods and, once none is left, everything else. */
	async #deleteContent(namespace: Namespace): Promise<readonly ResourcePass[]> {
		const { contents, unwatched } = this.#options;
		const all = [...contents.map(({ definition }) => definition), ...unwatched];
		const first = await this.#deleteAll(pods, namespace, graceSecondsOf);
		if (first.count > 0 || first.error !== undefined) return [first];
		const others = all.filter(({ group, resource }) => group !== '' || resource !== 'pods');
		return await Promise.all(others.map((definition) => this.#deleteAll(definition, namespace)));
	}

	/** Asks for the deletion of every object of a resource, and counts what is still there. */
	async #deleteAll<T extends KubeObject>(
		definition: ResourceDefinition<T>,
		{ metadata }: Namespace,
		graceSecondsOf: (object: T) => number = () => 0,
	): Promise<ResourcePass> {
		const { client, clock } = this.#options;
		const { group, version, resource } = definition;
		const namespace = metadata.name ?? '';
		const target = client.resource(definition, namespace);
		const nothing = { group, resource, count: 0, finalizers: new Map(), estimateSeconds: 0 };
		try {
			const before = (await target.list()).items;
			if (before.length === 0) return nothing;
			await client.transport.request({
				method: 'DELETE',
				path: pathOf(definition, namespace),
				body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
			});
			const { items } = await target.list();
			const finalizers = finalizersOf(items);
			const grace = before.reduce((longest, object) => Math.max(longest, graceSecondsOf(object)), 0);
			const waitedSeconds = (clock.now() - (timeOf(metadata.deletionTimestamp) ?? 0)) / 1000;
			const isExpected = grace > 0 && waitedSeconds < grace + REMOVAL_SECONDS;
			const estimateSeconds = isExpected ? Math.max(grace - waitedSeconds, 0) : FINALIZER_ESTIMATE_SECONDS;
			const found = { group, resource, count: items.length, finalizers, estimateSeconds };
			if (items.length === 0 || isExpected || finalizers.size > 0) return found;
			const kind = `${group}/${version}, Resource=${resource}`;
			const overdue = `unexpected items still remain in namespace: ${namespace} for gvr: ${kind}`;
			return { ...found, overdue };
		} catch (error) {
			return { ...nothing, error: error instanceof Error ? error.message : String(error) };
		}
	}

	/** Writes the conditions where they say something new; resolves to the Namespace as it then is. */
	async #report(namespace: Namespace, pass: DeletionPass): Promise<Namespace> {
		const { client, clock } = this.#options;
		const conditions = namespaceConditionsAfter(namespace, pass, clock.now());
		if (!conditions) return namespace;
		const status = { ...namespace.status, conditions };
		return await client.resource(namespaces).update({ ...namespace, status }, 'status');
	}

	async #finalize(namespace: Namespace): Promise<void> {
		const { client } = this.#options;
		const finalizers = namespace.spec.finalizers?.filter((finalizer) => finalizer !== 'kubernetes') ?? [];
		await client.transport.request({
			method: 'PUT',
			path: `${pathOf(namespaces)}/${namespace.metadata.name}/finalize`,
			body: { ...namespace, spec: { ...namespace.spec, finalizers } },
		});
	}
}

function finalizersOf(objects: readonly KubeObject[]): ReadonlyMap<string, number> {
	const counts = new Map<string, number>();
	for (const { metadata } of objects) {
		for (const finalizer of metadata.finalizers ?? [])
			counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
	}
	return counts;
}

/** How long a Pod may take to end; nothing where it has ended. */
function graceSecondsOf({ spec, status: { phase } }: Pod): number {
	const hasEnded = phase === 'Succeeded' || phase === 'Failed';
	return hasEnded ? 0 : approximate(spec.terminationGracePeriodSeconds ?? 0);
}
