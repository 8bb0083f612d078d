import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { ENGINE_FIELDS, ENGINE_TRAITS } from '../engines/engine-traits.ts';
import { fieldsWithoutSELinux } from '../se-linux.ts';
import type { EngineVersion } from './engine/engine-client.ts';

/**
 * The Pod fields that the runtime of container engines honours: RuntimeTraits.honours. What is not named, plan/pod/fields
 * refuses, holds back or reports: processes and IPC shared between containers, kernel parameters, name servers of a Pod.
 */
const HONOURED: ReadonlySet<string> = new Set([...ENGINE_FIELDS, ...fieldsWithoutSELinux()]);

/** The traits of the runtime with this engine. */
export function engineTraits(engine: EngineVersion | undefined): RuntimeTraits {
	return {
		...ENGINE_TRAITS,
		honours: HONOURED,
		// Podman serves Docker's call for it from version 5 on; without the call it answers 404.
		canResize: engine?.name === 'docker',
		hostsFile: 'pod',
	};
}
