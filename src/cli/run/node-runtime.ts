import { nodes } from '../../api/core/node/definition.ts';
import type { Connection } from '../context.ts';

/** The runtime of host programs in a Node's `containerRuntimeVersion`. */
const HOST_PROGRAMS = 'process://';

/** Whether the containers of a Node are programs of its machine. False if the Node cannot be read, as by a user without the right. */
export async function runsHostPrograms({ client }: Connection, nodeName: string): Promise<boolean> {
	try {
		const { status } = await client.resource(nodes).get(nodeName);
		return status.nodeInfo?.containerRuntimeVersion?.startsWith(HOST_PROGRAMS) ?? false;
	} catch {
		return false;
	}
}
