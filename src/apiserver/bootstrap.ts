import { isApiError } from '../api/meta/api-error.ts';
import type { ApiTransport } from '../api/meta/transport.ts';

/** The namespaces that every cluster has. */
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Creates what every cluster has from the start, as far as it is not there. */
export async function bootstrap(server: ApiTransport): Promise<void> {
	await Promise.all(NAMESPACES.map((name) => ensureNamespace(server, name)));
}

async function ensureNamespace(server: ApiTransport, name: string): Promise<void> {
	const path = '/api/v1/namespaces';
	try {
		await server.request({ method: 'GET', path: `${path}/${name}` });
		return;
	} catch (error) {
		if (!isApiError(error, 'NotFound')) throw error;
	}
	try {
		const body = { kind: 'Namespace', apiVersion: 'v1', metadata: { name } };
		await server.request({ method: 'POST', path, body });
	} catch (error) {
		if (!isApiError(error, 'AlreadyExists')) throw error;
	}
}
