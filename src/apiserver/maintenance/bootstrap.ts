import type { ApiTransport } from '../../api/contract/transport.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { SYSTEM_PRIORITY_CLASSES } from '../../api/scheduling/priorityclass/definition.ts';

/** Namespaces that every cluster has. */
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/**
 * Creates the Namespaces and PriorityClasses that every cluster has, unless they exist. Called at each start,
 * after the server has started; changes that users made to these objects are kept.
 */
export async function bootstrap(server: ApiTransport): Promise<void> {
	const namespaces = NAMESPACES.map((name) =>
		ensure(server, '/api/v1/namespaces', { kind: 'Namespace', apiVersion: 'v1', metadata: { name } }),
	);
	const classes = SYSTEM_PRIORITY_CLASSES.map(({ name, ...rest }) =>
		ensure(server, '/apis/scheduling.k8s.io/v1/priorityclasses', {
			kind: 'PriorityClass',
			apiVersion: 'scheduling.k8s.io/v1',
			metadata: { name },
			...rest,
		}),
	);
	await Promise.all([...namespaces, ...classes]);
}

interface Named {
	readonly kind: string;
	readonly metadata: { readonly name: string };
}

async function ensure<T extends Named>(server: ApiTransport, path: string, object: T): Promise<void> {
	try {
		await server.request({ method: 'GET', path: `${path}/${object.metadata.name}` });
		return;
	} catch (error) {
		if (!isApiError(error, 'NotFound')) throw error;
	}
	try {
		await server.request({ method: 'POST', path, body: object });
	} catch (error) {
		if (!isApiError(error, 'AlreadyExists')) throw error;
	}
}
