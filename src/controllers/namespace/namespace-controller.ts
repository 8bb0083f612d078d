/**
 * The namespace controller: deletes all objects of a Namespace under deletion, then removes the `kubernetes`
 * finalizer from it. Follows upstream's `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`.
 * The conditions are computed by plan/namespace.
 *
 * 1. Pods are deleted first. Objects of other resources are deleted only after the last Pod is gone, so that no
 *    Pod outlives the objects that configure or restrict it.
 * 2. Each reconcile reports the remaining objects, and the reason, in the Namespace's status.
 * 3. A failure with one resource does not prevent the deletion of the others.
 */

import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { namespaces } from '../../api/core/namespace/definition.ts';
import type { Namespace } from '../../api/core/namespace/schema.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { timeOf } from '../../api/meta/time.ts';
import type { Clock } from '../../base/clock.ts';
import { approximate } from '../../base/json/json.ts';
import type { Metrics } from '../../base/metrics.ts';
import { again, DONE, type Outcome, ReconcileLoop } from '../../base/queue/reconcile-loop.ts';
import { type Client, pathOf } from '../../client/client.ts';
import type { Informer } from '../../client/informer.ts';
import { isOvertaken } from '../../client/outcomes.ts';
import {
	type DeletionPass,
	namespaceConditionsAfter,
	type RemainingContent,
} from '../../plan/namespace/namespace-conditions.ts';
import type { CollectedResource } from '../garbage-collector/garbage-collector.ts';

/** The dependencies of the namespace controller. */
export interface NamespaceControllerOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly namespaces: Informer<Namespace>;
	/** Every namespaced resource with an informer. Each deletion of an object queues its Namespace. */
	readonly contents: readonly CollectedResource[];
	/** Namespaced resources without an informer (Events): a timer makes the controller list them again. */
	readonly unwatched: readonly ResourceDefinition[];
	readonly onError: (key: string, error: unknown) => void;
}

/** Upstream's estimate of the time until a finalizer is removed (`finalizerEstimateSeconds`). */
const FINALIZER_ESTIMATE_SECONDS = 15;

/**
 * Seconds after the end of its grace period until a remaining Pod is reported as a failure. The kubelet kills
 * the containers at the end of the grace period and deletes the Pod only after that. Upstream has no such
 * margin, and so reports a failure for a moment for every Pod that uses up its grace period.
 */
const REMOVAL_SECONDS = 5;

/** The result of deleting the objects of one resource. */
type ResourcePass = RemainingContent & {
	/** Seconds after which the remaining objects are expected to be gone. */
	readonly estimateSeconds: number;
	/** A message if objects remain for no known reason: no finalizer, and no grace period that still runs. */
	readonly overdue?: string;
	/** The message of the error if the API server rejected the list or the deletion. */
	readonly error?: string;
};

/** The controller; its invariants are in the header of this file. */
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

	/** Runs until `signal` aborts. */
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
			// The informer will show the newer Namespace, and its event queues this key again.
			if (isOvertaken(error)) return DONE;
			throw error;
		}
	}

	async #empty(namespace: Namespace): Promise<Outcome> {
		const passes = await this.#deleteContent(namespace);
		const failures = passes.flatMap(({ error }) => error ?? []);
		const errors = [...failures, ...passes.flatMap(({ overdue }) => overdue ?? [])];
		const reported = await this.#report(namespace, { remaining: passes, errors });
		if (failures.length > 0) throw new Error(failures.join(', '));
		const remaining = passes.filter(({ count }) => count > 0);
		if (remaining.length === 0) {
			await this.#finalize(reported);
			return DONE;
		}
		// The deletion of each object queues the key too. The timer is for resources without an informer, and for
		// objects that lose finalizers one by one: the reported counts of finalizers must be updated.
		const estimate = Math.max(...remaining.map(({ estimateSeconds }) => estimateSeconds));
		return again((Math.floor(estimate / 2) + 1) * 1000);
	}

	/** Deletes the Pods and, once no Pod remains, the objects of all other resources. */
	async #deleteContent(namespace: Namespace): Promise<readonly ResourcePass[]> {
		const { contents, unwatched } = this.#options;
		const all = [...contents.map(({ definition }) => definition), ...unwatched];
		const first = await this.#deleteAll(pods, namespace, graceSecondsOf);
		if (first.count > 0 || first.error !== undefined) return [first];
		const others = all.filter(({ group, resource }) => group !== '' || resource !== 'pods');
		return await Promise.all(others.map((definition) => this.#deleteAll(definition, namespace)));
	}

	/**
	 * Deletes the collection of a resource, then counts the remaining objects. Never rejects: errors are in the
	 * result.
	 */
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

	/** Writes the conditions if they changed; resolves to the Namespace with its latest resourceVersion. */
	async #report(namespace: Namespace, pass: DeletionPass): Promise<Namespace> {
		const { client, clock } = this.#options;
		const conditions = namespaceConditionsAfter(namespace, pass, clock.now());
		if (!conditions) return namespace;
		const status = { ...namespace.status, conditions };
		return await client.resource(namespaces).update({ ...namespace, status }, 'status');
	}

	/**
	 * Removes the finalizer through the `finalize` subresource, the only one that may change a Namespace's spec.
	 */
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

/** The number of objects with each finalizer. */
function finalizersOf(objects: readonly KubeObject[]): ReadonlyMap<string, number> {
	const counts = new Map<string, number>();
	for (const { metadata } of objects) {
		for (const finalizer of metadata.finalizers ?? [])
			counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
	}
	return counts;
}

/** The grace period of a Pod in seconds; 0 if it has ended. */
function graceSecondsOf(pod: Pod): number {
	return hasEnded(pod) ? 0 : approximate(pod.spec.terminationGracePeriodSeconds ?? 0);
}
