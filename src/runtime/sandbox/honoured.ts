import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { CgroupController } from '../process/cgroups/cgroup-limits.ts';
import { isolationTraits } from '../process/honoured.ts';
import type { MachineProbe } from '../process/shim/probe.ts';

/** The traits of a runtime of images: those of isolated host programs, with users that belong to the image. */
export function imageTraits({
	machine,
	controllers,
	hasIds,
}: {
	readonly machine: MachineProbe;
	readonly controllers: ReadonlySet<CgroupController>;
	/** Whether containers can run as several users. */
	readonly hasIds: boolean;
}): Pick<RuntimeTraits, 'honours' | 'hostsFile' | 'user' | 'runsHostPrograms'> {
	const { honours, ...others } = isolationTraits(machine, controllers);
	const fields = [
		...(honours === 'everything' ? [] : honours),
		'spec.containers[].securityContext.capabilities.add',
		'spec.containers[].securityContext.procMount',
		...(hasIds
			? [
					'spec.securityContext.supplementalGroups',
					'spec.securityContext.supplementalGroupsPolicy',
					'spec.securityContext.fsGroup',
				]
			: []),
	];
	return { ...others, honours: new Set(fields), user: undefined, runsHostPrograms: false };
}
