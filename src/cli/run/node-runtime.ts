import { nodes } from '../../api/core/node/definition.ts';
import type { Node } from '../../api/core/node/schema.ts';
import type { Connection } from '../context.ts';
import type { RuntimeName } from '../runtime-name.ts';

/** Whether the containers of a Node are programs of its machine. False if the Node cannot be read, as by a user without the right. */
export async function runsHostPrograms({ client }: Connection, nodeName: string): Promise<boolean> {
	try {
		return runtimeOf(await client.resource(nodes).get(nodeName)) === 'process';
	} catch {
		return false;
	}
}

/** Whether all Nodes have this runtime. False if they cannot be listed. */
export async function haveRuntime({ client }: Connection, runtime: RuntimeName): Promise<boolean> {
	try {
		const { items } = await client.resource(nodes).list();
		return items.length > 0 && items.every((node) => runtimeOf(node) === runtime);
	} catch {
		return false;
	}
}

/** The runtimes by their names in a Node's `containerRuntimeVersion`; that of `cri` is the name of what serves the CRI. */
const RUNTIMES: ReadonlyMap<string, RuntimeName> = new Map([
	['process', 'process'],
	['sandbox', 'sandbox'],
	['docker', 'docker'],
	['podman', 'docker'],
	['fake', 'fake'],
]);

function runtimeOf({ status: { nodeInfo } }: Node): RuntimeName {
	const [name = ''] = (nodeInfo?.containerRuntimeVersion ?? '').split('://');
	return RUNTIMES.get(name) ?? 'cri';
}
