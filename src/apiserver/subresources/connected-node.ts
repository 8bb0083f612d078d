import type { NodeApi } from '../../api/contract/node-api.ts';
import { serviceUnavailable } from '../../api/errors/api-error.ts';
import type { ServerContext } from '../context.ts';

/** The node agent of the node that runs the Pod `pod`. Throws ServiceUnavailable if it is not connected. */
export function connectedNode(
	server: ServerContext,
	{ nodeName, pod }: { readonly nodeName: string; readonly pod: string },
): NodeApi {
	const node = server.nodeApi(nodeName);
	if (!node) throw serviceUnavailable(`the node "${nodeName}" of pod "${pod}" cannot be reached`);
	return node;
}
