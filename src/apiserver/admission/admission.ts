import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ResourceRequest } from '../request.ts';

/**
 * The admit stage: rules that look beyond the object itself. A plugin may refuse by throwing an
 * ApiError, or fill in what the client left out. Objects come decoded and defaulted, before their
 * strategy sees them.
 */
export interface AdmissionPlugin {
	/** The object to create, as it came or completed. */
	create?(request: ResourceRequest, object: KubeObject): KubeObject;
	/** The object that is to replace `old`, as it came or completed. */
	update?(request: ResourceRequest, object: KubeObject, old: KubeObject): KubeObject;
	/** Lets a deletion pass, or throws. */
	delete?(request: ResourceRequest): void;
}

/** All plugins, in order. */
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
