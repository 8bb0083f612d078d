import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ResourceRequest } from '../request.ts';

/**
 * The admission stage: rules that need more than the object itself, such as other objects or the runtime. A
 * plugin rejects a request by throwing an ApiError, or returns the object with fields that the client left
 * out.
 *
 * 1. Objects arrive decoded and defaulted. The strategy of the resource (prepare, validate) runs afterwards,
 *    so it also validates what plugins filled in.
 * 2. Plugins are synchronous and read only the cache: a request is never delayed by admission, and a retried
 *    update can be admitted again at no cost.
 * 3. A plugin must be idempotent. An update is admitted once for each attempt to write it, and a create a
 *    second time if the request paused after its admission.
 */
export interface AdmissionPlugin {
	/** Returns the object to create: `object` itself, or a copy with fields filled in. */
	create?(request: ResourceRequest, object: KubeObject): KubeObject;
	/** Returns the object that replaces `old`: `object` itself, or a copy with fields filled in. */
	update?(request: ResourceRequest, object: KubeObject, old: KubeObject): KubeObject;
	/** Returns if the object may be deleted; throws an ApiError otherwise. */
	delete?(request: ResourceRequest): void;
}

/** Calls the plugins in order; each receives the object as the previous one returned it. */
export class Admission {
	readonly #plugins: readonly AdmissionPlugin[];

	constructor(plugins: readonly AdmissionPlugin[]) {
		this.#plugins = plugins;
	}

	/** See {@link AdmissionPlugin.create}. */
	create(request: ResourceRequest, object: KubeObject): KubeObject {
		return this.#plugins.reduce((admitted, plugin) => plugin.create?.(request, admitted) ?? admitted, object);
	}

	/** See {@link AdmissionPlugin.update}. */
	update(request: ResourceRequest, object: KubeObject, old: KubeObject): KubeObject {
		return this.#plugins.reduce(
			(admitted, plugin) => plugin.update?.(request, admitted, old) ?? admitted,
			object,
		);
	}

	/** See {@link AdmissionPlugin.delete}. */
	delete(request: ResourceRequest): void {
		for (const plugin of this.#plugins) plugin.delete?.(request);
	}
}
