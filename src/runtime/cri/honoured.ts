import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';

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
	'spec.volumes',
	'spec.hostAliases',
	'spec.dnsPolicy',
	'spec.dnsConfig',
	'spec.shareProcessNamespace',
	'spec.securityContext.supplementalGroups',
	'spec.securityContext.fsGroup',
	...inBoth('runAsUser', 'runAsGroup', 'seccompProfile'),
	...[
		'stdin',
		'tty',
		'terminationMessagePath',
		'volumeMounts',
		'resources.limits',
		'securityContext.allowPrivilegeEscalation',
		'securityContext.capabilities.add',
		'securityContext.capabilities.drop',
		'securityContext.privileged',
		'securityContext.readOnlyRootFilesystem',
	].map((name) => `spec.containers[].${name}`),
];

/** Those that a Pod needs a network of its own for. */
const OF_POD_NETWORK: readonly string[] = ['spec.securityContext.sysctls', 'spec.containers[].ports'];

/** The traits of the runtime with these abilities. */
export function criTraits({ hasPodNetwork, hasAppArmor }: CriAbilities): RuntimeTraits {
	return {
		honours: new Set([
			...HONOURED,
			...(hasPodNetwork ? OF_POD_NETWORK : []),
			...(hasAppArmor ? inBoth('appArmorProfile') : []),
		]),
		// That of an image which names none.
		user: { uid: 0, gid: 0, groups: [] },
		os: 'linux',
		runsHostPrograms: false,
		canExec: true,
		canResize: true,
		hostsFile: hasPodNetwork ? 'pod' : 'node',
	};
}

/** The paths of fields that Pods and containers have. */
function inBoth(...names: readonly string[]): readonly string[] {
	return names.flatMap((name) => [
		`spec.securityContext.${name}`,
		`spec.containers[].securityContext.${name}`,
	]);
}
