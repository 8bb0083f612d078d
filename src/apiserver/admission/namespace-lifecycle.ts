import { forbidden, notFound } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { isNamespace, isTerminating } from '../../plan/deletion/namespace-deletion.ts';
import { reworded } from '../errors.ts';
import type { ResourceRequest } from '../request.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import type { AdmissionPlugin } from './admission.ts';

/** Namespaces that clients cannot delete (upstream: immortalNamespaces in the NamespaceLifecycle plugin). */
const IMMORTAL: readonly string[] = ['default', 'kube-system', 'kube-public'];

/**
 * Rejects a create in a Namespace that does not exist or is being deleted, and the deletion of the system
 * Namespaces (upstream: NamespaceLifecycle). Without the first rule the namespace controller could not
 * finish: new objects would appear while it deletes the old ones.
 */
export class NamespaceLifecycle implements AdmissionPlugin {
	readonly #cache: ObjectCache;

	constructor(cache: ObjectCache) {
		this.#cache = cache;
	}

	create({ definition, namespace }: ResourceRequest, object: KubeObject): KubeObject {
		const namespaces = this.#cache.of('', 'namespaces');
		if (namespace === '' || !namespaces) return object;
		const holder = namespaces.get('', namespace)?.object;
		if (!holder) throw notFound({ group: '', resource: 'namespaces', name: namespace });
		if (!isTerminating(holder)) return object;
		const { name, generateName } = object.metadata;
		const refusal = forbidden(
			subjectOf(definition, name || generateName || 'Unknown'),
			`unable to create new content in namespace ${namespace} because it is being terminated`,
		);
		throw reworded(refusal, {
			causes: [
				{
					reason: 'NamespaceTerminating',
					message: `namespace ${namespace} is being terminated`,
					field: 'metadata.namespace',
				},
			],
		});
	}

	delete({ definition, name }: ResourceRequest): void {
		if (!isNamespace(definition) || !IMMORTAL.includes(name)) return;
		throw forbidden(subjectOf(definition, name), 'this namespace may not be deleted');
	}
}
