import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { ENGINE_FIELDS, ENGINE_TRAITS } from '../engines/engine-traits.ts';
import { inBoth } from '../field-paths.ts';
import { fieldsWithoutSELinux } from '../se-linux.ts';

/** What decides which fields a runtime of the CRI honours. */
export interface CriAbilities {
	/** Whether Pods have a network of their own: the runtime has a configuration of CNI. */
	readonly hasPodNetwork: boolean;
	/** Whether the kernel confines processes by profiles of AppArmor. */
	readonly hasAppArmor: boolean;
}

/**
 * The Pod fields that a runtime of the CRI honours in any case: RuntimeTraits.honours. What is not named, plan/pod/fields
 * refuses, holds back or reports.
 */
const HONOURED: readonly string[] = [
	...ENGINE_FIELDS,
	...fieldsWithoutSELinux(),
	'spec.dnsPolicy',
	'spec.dnsConfig',
	'spec.shareProcessNamespace',
	'spec.containers[].volumeMounts',
];

/** Those that a Pod needs a network of its own for. */
const OF_POD_NETWORK: readonly string[] = ['spec.securityContext.sysctls', 'spec.containers[].ports'];

/** The traits of the runtime with these abilities. */
export function criTraits({ hasPodNetwork, hasAppArmor }: CriAbilities): RuntimeTraits {
	return {
		...ENGINE_TRAITS,
		honours: new Set([
			...HONOURED,
			...(hasPodNetwork ? OF_POD_NETWORK : []),
			...(hasAppArmor ? inBoth('appArmorProfile') : []),
		]),
		canResize: true,
		hostsFile: hasPodNetwork ? 'pod' : 'node',
	};
}
