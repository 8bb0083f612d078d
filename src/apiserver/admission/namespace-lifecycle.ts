import { forbidden, notFound } from '../../api/errors/api-error.ts';
import { isNamespace, isTerminating } from '../../plan/deletion/namespace-deletion.ts';
import { reworded } from '../errors.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { nameForMessages } from './refusal.ts';

/** Namespaces that clients cannot delete (upstream: immortalNamespaces in the NamespaceLifecycle plugin). */
const IMMORTAL: readonly string[] = ['default', 'kube-system', 'kube-public'];

/**
 * Rejects a create in a Namespace that does not exist or is being deleted, and the deletion of the system
 * Namespaces (upstream: NamespaceLifecycle). Without the first rule the namespace controller could not
 * finish: new objects would appear while it deletes the old ones. A create is checked in both phases: first, so
 * that its error comes before others, and last, since the Namespace may have been deleted in between.
 */
export class NamespaceLifecycle implements AdmissionPlugin {
	readonly mutation: AdmissionPlugin['mutation'] = {
		operations: ['CREATE'],
		admit: (attributes) => {
			this.#checkNamespace(attributes);
			return attributes.object;
		},
	};
	readonly validation: AdmissionPlugin['validation'] = {
		operations: ['CREATE', 'DELETE'],
		admit: (attributes) => {
			if (attributes.operation === 'CREATE') this.#checkNamespace(attributes);
			else checkDeletable(attributes);
		},
	};
	readonly #cache: ObjectCache;

	constructor(cache: ObjectCache) {
		this.#cache = cache;
	}

	#checkNamespace(attributes: AdmissionAttributes): void {
		const { definition, namespace } = attributes;
		const { group, resource } = definition;
		const namespaces = this.#cache.of('', 'namespaces');
		// A question about a namespace may be asked whether it exists or not (upstream: isAccessReview).
		if (namespace === '' || !namespaces || definition.isVirtual) return;
		const holder = namespaces.get('', namespace)?.object;
		if (!holder) throw notFound({ group: '', resource: 'namespaces', name: namespace });
		if (!isTerminating(holder)) return;
		const refusal = forbidden(
			// The requested resource, also of a view.
			{ group, resource, name: nameForMessages(attributes) },
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
}

function checkDeletable({ definition, name }: AdmissionAttributes): void {
	if (!isNamespace(definition) || !IMMORTAL.includes(name)) return;
	throw forbidden(subjectOf(definition, name), 'this namespace may not be deleted');
}
