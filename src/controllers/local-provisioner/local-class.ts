import { namespaces } from '../../api/core/namespace/definition.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { storageClasses } from '../../api/storage/storageclass/definition.ts';
import type { Client } from '../../client/client.ts';
import { LOCAL_CLASS } from '../../plan/storage/local-volume.ts';

/** On the Namespace kube-system: the StorageClass was created once, so that a user's deletion of it is kept. */
const CREATED_ANNOTATION = 'stint.io/local-storage-class';

/**
 * Creates the StorageClass `local` at the first start of a cluster. Later starts leave it alone, also if users
 * have changed or deleted it.
 */
export async function createLocalClass(client: Client): Promise<void> {
	const target = client.resource(namespaces);
	const { metadata } = await target.get('kube-system');
	if (metadata.annotations?.[CREATED_ANNOTATION] !== undefined) return;
	try {
		await client.resource(storageClasses).create(LOCAL_CLASS);
	} catch (error) {
		if (!isApiError(error, 'AlreadyExists')) throw error;
	}
	const annotations = { [CREATED_ANNOTATION]: 'created' };
	await target.patch('kube-system', 'merge', { metadata: { annotations } });
}
