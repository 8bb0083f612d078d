import type { KubeObject, OwnerReference } from '../../api/meta/object-meta.ts';
import { type Call, warn } from '../request.ts';

/**
 * Removes repeated owner references and adds a warning with their UIDs, as upstream
 * (dedupOwnerReferencesAndAddWarning).
 */
export function ownersOnce(call: Call, object: KubeObject): KubeObject {
	const { ownerReferences } = object.metadata;
	if (ownerReferences === undefined || ownerReferences.length < 2) return object;
	const kept = new Map<string, OwnerReference>();
	const repeated: string[] = [];
	for (const reference of ownerReferences) {
		const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = reference;
		const id = JSON.stringify([apiVersion, kind, name, uid, controller, blockOwnerDeletion]);
		if (kept.has(id)) repeated.push(uid);
		else kept.set(id, reference);
	}
	if (repeated.length === 0) return object;
	warn(
		call,
		`.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(', ')}`,
	);
	return { ...object, metadata: { ...object.metadata, ownerReferences: [...kept.values()] } };
}
