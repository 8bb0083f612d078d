import { isFinalPhase } from '../../api/core/pod/phase.ts';
import { qosClassOf } from '../../api/core/pod/quality-of-service.ts';
import type { Pod, PodTemplateSpec, Toleration } from '../../api/core/pod/schema.ts';
import { ageOf } from '../../api/meta/duration.ts';
import type { ObjectMeta } from '../../api/meta/object-meta.ts';
import { containerLines, resourceLines } from './container.ts';
import { annotationLines, at, instant, labelLines, underTitle } from './lines.ts';
import { volumeLines } from './volume.ts';

/** The lines of a Pod; `now` is the wall clock. Upstream: describePod. */
export function podLines(pod: Pod, now: number): readonly string[] {
	const { metadata, spec, status } = pod;
	const { nodeName, nodeSelector, tolerations, volumes, initContainers = [], containers } = spec;
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		...optionalLine('Priority', spec.priority),
		...optionalLine('Priority Class Name', spec.priorityClassName),
		...optionalLine('Runtime Class Name', spec.runtimeClassName),
		...optionalLine('Service Account', spec.serviceAccountName),
		`Node:\t${nodeName ? `${nodeName}/${status.hostIP ?? ''}` : '<none>'}`,
		...optionalLine('Start Time', status.startTime && instant(status.startTime)),
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		...phaseLines(pod, now),
		...optionalLine('Reason', status.reason),
		...optionalLine('Message', status.message),
		`IP:\t${status.podIP ?? ''}`,
		...ipLines(pod),
		...controllerLine(metadata),
		...optionalLine('NominatedNodeName', status.nominatedNodeName),
		...(spec.resources ? ['Resources:', ...resourceLines(spec.resources, 1)] : []),
		...(initContainers.length === 0
			? []
			: containerLines({
					title: 'Init Containers',
					containers: initContainers,
					statuses: status.initContainerStatuses ?? [],
					pod,
				})),
		...containerLines({ title: 'Containers', containers, statuses: status.containerStatuses ?? [], pod }),
		...conditionLines(pod),
		...volumeLines(volumes),
		`QoS Class:\t${status.qosClass ?? qosClassOf(pod)}`,
		...labelLines('Node-Selectors', nodeSelector),
		...tolerationLines('Tolerations', tolerations),
	];
}

/**
 * The lines of a Pod template, as a part of the description of a Job or CronJob. Upstream:
 * DescribePodTemplate.
 */
export function templateLines({ metadata, spec }: PodTemplateSpec): readonly string[] {
	return [
		'Pod Template:',
		...labelLines('  Labels', metadata?.labels),
		...(metadata?.annotations ? annotationLines('  Annotations', metadata.annotations) : []),
		...optionalLine('  Service Account', spec.serviceAccountName),
		...(spec.initContainers?.length
			? containerLines({ title: 'Init Containers', containers: spec.initContainers })
			: []),
		...containerLines({ title: 'Containers', containers: spec.containers }),
		...volumeLines(spec.volumes, '  '),
		...optionalLine('  Priority Class Name', spec.priorityClassName),
		...labelLines('  Node-Selectors', spec.nodeSelector),
		...tolerationLines('  Tolerations', spec.tolerations),
	];
}

/** The line `Controlled By:` for an object whose owner references include a controller. */
export function controllerLine({ ownerReferences }: ObjectMeta): readonly string[] {
	const owner = ownerReferences?.find(({ controller }) => controller);
	return owner ? [`Controlled By:\t${owner.kind}/${owner.name}`] : [];
}

/** A line, or none if the value is undefined or empty. */
export function optionalLine(title: string, value: string | number | undefined): readonly string[] {
	return value === undefined || value === '' ? [] : [`${title}:\t${value}`];
}

/**
 * The phase, or for a Pod that is being deleted `Terminating`. A finished Pod keeps its phase even then: it
 * may wait for a finalizer, and the phase says how it ended.
 */
function phaseLines({ metadata, status }: Pod, now: number): readonly string[] {
	const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
	if (deletionTimestamp === undefined || isFinalPhase(status.phase))
		return [`Status:\t${status.phase ?? ''}`];
	return [
		`Status:\tTerminating (lasts ${ageOf(deletionTimestamp, now)})`,
		`Termination Grace Period:\t${deletionGracePeriodSeconds ?? 0}s`,
	];
}

/** All addresses. The line IP above has only the first, for scripts that were written before Pods had two. */
function ipLines({ status: { podIPs = [] } }: Pod): readonly string[] {
	if (podIPs.length === 0) return ['IPs:\t<none>'];
	return ['IPs:', ...podIPs.map(({ ip }) => at(1, `IP:\t${ip}`))];
}

/** Type and status only, as in kubectl; the trailing spaces are kubectl's too. */
function conditionLines({ status: { conditions = [] } }: Pod): readonly string[] {
	if (conditions.length === 0) return [];
	const rows = conditions.map(({ type, status }) => at(1, `${type} \t${status} `));
	return ['Conditions:', at(1, 'Type\tStatus'), ...rows];
}

/** The tolerations, sorted by key. Upstream: printPodTolerationsMultiline. */
function tolerationLines(title: string, tolerations: readonly Toleration[] = []): readonly string[] {
	const sorted = tolerations.toSorted((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1));
	return underTitle(title, sorted.map(tolerationText));
}

/** `key=value:effect op=Exists for 300s`, without the parts that are not set. */
function tolerationText({ key = '', value, effect, operator, tolerationSeconds }: Toleration): string {
	const what = `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : ''}`;
	const exists = operator === 'Exists' && !value ? `${what === '' ? '' : ' '}op=Exists` : '';
	return `${what}${exists}${tolerationSeconds === undefined ? '' : ` for ${tolerationSeconds}s`}`;
}
