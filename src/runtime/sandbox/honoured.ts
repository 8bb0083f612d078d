import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { processTraits, type RuntimeMachine } from '../process/honoured.ts';

/**
 * The traits of a runtime of images: those of isolated host programs, with users that belong to the image. `hasIds`:
 * containers can run as several users.
 */
export function imageTraits(
	machine: RuntimeMachine,
	{ hasIds }: { readonly hasIds: boolean },
): RuntimeTraits {
	const { honours, ...others } = processTraits(machine);
	const fields = [
		...(honours === 'everything' ? [] : honours),
		'spec.containers[].securityContext.capabilities.add',
		'spec.containers[].securityContext.procMount',
		...(hasIds
			? [
					'spec.securityContext.supplementalGroups',
					'spec.securityContext.supplementalGroupsPolicy',
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
