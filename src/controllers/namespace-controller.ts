import { namespaces } from '../api/core/namespace/definition.ts';
import type { Namespace } from '../api/core/namespace/schema.ts';
import { isApiError } from '../api/meta/api-error.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import { DONE, type Outcome, ReconcileLoop } from '../base/reconcile-loop.ts';
import { type Client, pathOf } from '../client/client.ts';
import type { Informer } from '../client/informer.ts';
import type { CollectedResource } from './garbage-collector.ts';

/** What the namespace controller is made of. */
export interface NamespaceControllerOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly namespaces: Informer<Namespace>;
	/** Every namespaced resource that is watched; their deletions wake the namespace that waits for them. */
	readonly contents: readonly CollectedResource[];
	/** Namespaced resources that nobody watches (Events). */
	readonly unwatched: readonly ResourceDefinition[];
	readonly onError: (key: string, error: unknown) => void;
}

/** Empties a namespace that is being deleted, and lets it go once nothing is left in it. */
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
			reconcile: (key) => this.#empty(key),
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

	async #empty(name: string): Promise<Outcome> {
		const { client, namespaces: informer, contents, unwatched } = this.#options;
		const namespace = informer.get('', name);
		if (!namespace?.metadata.deletionTimestamp || !namespace.spec.finalizers?.includes('kubernetes'))
			return DONE;
		const watched = contents.map(({ definition }) => definition);
		const left = await Promise.all([...watched, ...unwatched].map((each) => this.#deleteAll(each, name)));
		// Whatever is left goes by and by; its deletion brings this namespace back.
		if (left.some((count) => count > 0)) return DONE;
		const finalizers = namespace.spec.finalizers.filter((finalizer) => finalizer !== 'kubernetes');
		try {
			await client.transport.request({
				method: 'PUT',
				path: `${pathOf(namespaces)}/${name}/finalize`,
				body: { ...namespace, spec: { ...namespace.spec, finalizers } },
			});
		} catch (error) {
			if (!isApiError(error, 'NotFound')) throw error;
		}
		return DONE;
	}

	/** Deletes all of a resource in the namespace; resolves to how many are still there. */
	async #deleteAll(definition: ResourceDefinition, namespace: string): Promise<number> {
		const { client } = this.#options;
		const target = client.resource(definition, namespace);
		if ((await target.list()).items.length === 0) return 0;
		await client.transport.request({
			method: 'DELETE',
			path: pathOf(definition, namespace),
			body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
		});
		return (await target.list()).items.length;
	}
}
