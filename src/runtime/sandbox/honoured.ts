import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { inBoth } from '../field-paths.ts';
import { machineFields, processTraits, type RuntimeMachine } from '../process/honoured.ts';

/** The Pod fields that are honoured where containers only have a root by chroot: RuntimeTraits.honours. */
const HONOURED_BY_CHROOT: readonly string[] = [
	'spec.volumes',
	'spec.hostAliases',
	...['spec.dnsPolicy', 'spec.dnsConfig'],
	...['supplementalGroups', 'supplementalGroupsPolicy', 'fsGroup'].map(
		(name) => `spec.securityContext.${name}`,
	),
	'spec.containers[].terminationMessagePath',
	...['spec.containers[].stdin', 'spec.containers[].tty'],
	...inBoth('runAsUser', 'runAsGroup', 'seccompProfile'),
	...['allowPrivilegeEscalation', 'capabilities.drop'].map(
		(name) => `spec.containers[].securityContext.${name}`,
	),
];

/**
 * The traits of a runtime of images: those of isolated host programs, with users that belong to the image. `hasIds`:
 * containers can run as several users.
 */
export function imageTraits(
	machine: RuntimeMachine,
	{ hasIds }: { readonly hasIds: boolean },
): RuntimeTraits {
	if (machine.isolation.level === 'chroot') return chrootTraits(machine);
	const { honours, ...others } = processTraits(machine);
	const fields = [
		...(honours === 'everything' ? [] : honours),
		'spec.containers[].securityContext.capabilities.add',
		'spec.containers[].securityContext.procMount',
		...(hasIds
			? [
					'spec.securityContext.supplementalGroups',
					'spec.securityContext.supplementalGroupsPolicy',
					'spec.securityContext.fsGroup',
					// Containers then have one map of ids, and one user namespace.
					'spec.shareProcessNamespace',
				]
			: []),
	];
	return {
		...others,
		// The files of an image are not the node's.
		...(others.resolvConf && { resolvConf: 'always' }),
		honours: new Set(fields),
		user: undefined,
		runsHostPrograms: false,
		mountsImages: true,
	};
}

function chrootTraits(machine: RuntimeMachine): RuntimeTraits {
	return {
		...processTraits(machine),
		honours: new Set([...HONOURED_BY_CHROOT, ...machineFields(machine)]),
		hostsFile: 'pod',
		resolvConf: 'always',
		volumes: 'copied',
		user: undefined,
		runsHostPrograms: false,
	};
}
