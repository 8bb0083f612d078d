/**
 * The namespace controller: deletes all objects of a Namespace under deletion, then removes the `kubernetes`
 * finalizer from it. Follows upstream's `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`.
 * What the remaining objects mean, and the conditions, are computed by plan/namespace.
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
import { messageOf } from '../../base/message-of.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import { type Client, pathOf } from '../../client/client.ts';
import { Controller, type ControllerContext, NO_KEYS, type Watch, watch } from '../../client/controller.ts';
import type { Informer } from '../../client/informer.ts';
import { isOvertaken } from '../../client/outcomes.ts';
import { type CollectionPass, collectionPass, nextLookMs } from '../../plan/namespace/collection-pass.ts';
import { type DeletionPass, namespaceConditionsAfter } from '../../plan/namespace/namespace-conditions.ts';
import type { CollectedResource } from '../garbage-collector/garbage-collector.ts';

/** The dependencies of the namespace controller. */
export interface NamespaceControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly namespaces: Informer<Namespace>;
	/** Every namespaced resource with an informer. Each deletion of an object queues its Namespace. */
	readonly contents: readonly CollectedResource[];
	/** Namespaced resources without an informer (Events): a timer makes the controller list them again. */
	readonly unwatched: readonly ResourceDefinition[];
}

/** The result of deleting the objects of one resource. */
type ResourcePass = CollectionPass & {
	/** The message of the error if the API server rejected the list or the deletion. */
	readonly error?: string;
};

/** The controller; its invariants are in the header of this file. */
export class NamespaceController {
	readonly #options: NamespaceControllerOptions;
	readonly #controller: Controller;

	constructor(options: NamespaceControllerOptions) {
		const { namespaces: informer, contents } = options;
		this.#options = options;
		const isLeaving = (name: string): boolean =>
			informer.get('', name)?.metadata.deletionTimestamp !== undefined;
		const watchContent = ({ informer: content }: CollectedResource): Watch =>
			watch(content, (object, old) => {
				const name = old?.metadata.namespace ?? '';
				return !object && isLeaving(name) ? [name] : NO_KEYS;
			});
		this.#controller = new Controller(
			{
				name: 'namespace',
				watches: [
					watch(informer, (one) => (one?.metadata.deletionTimestamp ? [one.metadata.name ?? ''] : NO_KEYS)),
					...contents.map(watchContent),
				],
				workers: 5,
				backoff: { baseMs: 5, capMs: 60_000 },
				reconcile: (name) => this.#reconcile(name),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
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
		// The deletion of each object queues the key too. The timer is for resources without an informer, and for
		// objects that lose finalizers one by one: the reported counts of finalizers must be updated.
		const lookAgainMs = nextLookMs(passes);
		if (lookAgainMs !== undefined) return again(lookAgainMs);
		await this.#finalize(reported);
		return DONE;
	}

	/** Deletes the Pods and, once no Pod remains, the objects of all other resources. */
	async #deleteContent(namespace: Namespace): Promise<readonly ResourcePass[]> {
		const { contents, unwatched } = this.#options;
		const all = [...contents.map(({ definition }) => definition), ...unwatched];
		const first = await this.#deleteAll(pods, namespace);
		if (first.count > 0 || first.error !== undefined) return [first];
		const others = all.filter(({ group, resource }) => group !== '' || resource !== 'pods');
		return await Promise.all(others.map((definition) => this.#deleteAll(definition, namespace)));
	}

	/**
	 * Deletes the collection of a resource, then counts the remaining objects. Never rejects: errors are in the
	 * result.
	 */
	async #deleteAll(definition: ResourceDefinition, namespace: Namespace): Promise<ResourcePass> {
		const { client, clock } = this.#options;
		const { group, resource } = definition;
		const { name } = namespace.metadata;
		const target = client.resource(definition, name);
		const nothing = { group, resource, count: 0, finalizers: new Map(), estimateSeconds: 0 };
		try {
			const before = (await target.list()).items;
			if (before.length === 0) return nothing;
			await client.transport.request({
				method: 'DELETE',
				path: pathOf(definition, name),
				body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
			});
			const after = (await target.list()).items;
			return collectionPass({ resource: definition, namespace, before, after, now: clock.now() });
		} catch (error) {
			return { ...nothing, error: messageOf(error) };
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
