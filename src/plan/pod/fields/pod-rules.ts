import type { Pod, Volume } from '../../../api/core/pod/schema.ts';
import { canBeCopied } from '../inputs/copied-volumes.ts';
import { mountedVolumesOf } from '../inputs/needs.ts';
import { unsupportedVolume } from '../inputs/volume-set-up.ts';
import type { FieldRule } from './field-rule.ts';

const BY_AGENT = 'The node agent implements it.';
const BY_SCHEDULER = 'The scheduler implements it.';
const BY_API = 'The API server implements it.';
const HOST_NAME =
	'HOSTNAME has this value, and so has the host name of a container with a view of its own; that of the machine does not change.';
const NO_RESOLVER =
	'containers use the name resolution of this machine; without the field they could connect to the wrong host';

/** The API server has checked that the account exists, but the Pod runs as if it had none. */
const NO_TOKEN = {
	because: 'this runtime cannot mount the token of the ServiceAccount',
	instead: 'give the container a token from `kubectl create token` if it talks to the API',
};

/** The row for a field that changes name resolution, for runtimes that do not support it. */
function resolverRule(field: string): FieldRule {
	const instead = 'remove the field, and configure the names on this machine';
	return { field, effect: 'held', because: NO_RESOLVER, instead };
}

function isNoCopy(volume: Volume, pod: Pod): boolean {
	return !canBeCopied(volume, pod);
}

function isImage({ image }: Volume): boolean {
	return image !== undefined;
}

function honoured(field: string, because: string): FieldRule {
	return { field, effect: 'honoured', because };
}

function harmless(field: string, because: string): FieldRule {
	return { field, effect: 'harmless', because };
}

/**
 * The rows for the fields of v1.PodSpec, except its security context. The order matters only among rows of one
 * field. The texts are read by users: they appear in Warnings, Events, docs/pod-fields.md and README.md.
 */
export const POD_RULES: readonly FieldRule[] = [
	{
		field: 'spec.runtimeClassName',
		effect: 'rejected',
		because: 'the runtime has only its default handler, and none with the name that the RuntimeClass gives',
		instead: 'remove the field',
		when: ({ pod }) => Boolean(pod.spec.runtimeClassName),
		reason: 'RuntimeHandlerNotFound',
		byStint: true,
	},
	honoured('spec.overhead', 'The overhead of the RuntimeClass is added to the requests of the containers.'),
	{
		field: 'spec.os',
		effect: 'rejected',
		only: "other than the node's",
		because: 'the node has a different operating system',
		instead: 'remove the field, or name the operating system of the node',
		when: ({ pod, traits }) => pod.spec.os !== undefined && pod.spec.os.name !== traits.os,
		exactly: () => "Failed to admit pod as the OS field doesn't match node OS",
		reason: 'PodOSNotSupported',
		byStint: true,
	},
	honoured('spec.os', 'The Pod is for the operating system of the node.'),
	{
		field: 'spec.volumes',
		effect: 'unmounted',
		only: 'that need a driver, such as `csi` or `nfs`',
		because: 'no runtime can mount a volume of this type',
		instead: 'mount it on this machine, and use a hostPath volume',
		when: ({ pod }) => mountedVolumesOf(pod).some((volume) => unsupportedVolume(volume) !== undefined),
		byStint: true,
	},
	{
		field: 'spec.volumes',
		effect: 'unmounted',
		only: 'other than `configMap`, `secret`, `downwardAPI`, `projected`, and an `emptyDir` that one container mounts once',
		because:
			'this machine lets stint mount nothing for a container: files of the API are copied, and an emptyDir can be only for one run of one container',
		instead:
			'mount one emptyDir once in a Pod with restartPolicy Never, or run stint where containers can be isolated (`stint doctor`)',
		when: ({ pod }) => mountedVolumesOf(pod).some((volume) => isNoCopy(volume, pod)),
		concerns: isNoCopy,
		byStint: true,
		onlyWith: 'volumes',
	},
	{
		field: 'spec.volumes',
		effect: 'unmounted',
		only: 'of type `image`',
		because: 'this runtime cannot mount the content of an image',
		instead:
			'start the server with --runtime sandbox, or copy the files to this machine and use a hostPath volume',
		when: ({ pod }) => mountedVolumesOf(pod).some(isImage),
		concerns: isImage,
		byStint: true,
		unless: 'mountsImages',
	},
	{
		field: 'spec.volumes',
		effect: 'unmounted',
		only: 'mounted by a container',
		because: 'this runtime cannot mount volumes',
		instead:
			'use paths of this machine, or the working directory of the container, which is empty at its start',
		when: ({ pod }) => mountedVolumesOf(pod).length > 0,
	},
	harmless('spec.volumes', 'The kubelet does not set up volumes that no container mounts.'),
	{
		field: 'spec.resourceClaims',
		effect: 'unscheduled',
		because: 'ResourceClaims are not served yet, so the claim does not exist',
		instead: 'remove the claim',
		byStint: true,
	},
	resolverRule('spec.hostAliases'),
	{
		...resolverRule('spec.dnsPolicy'),
		only: '`None`',
		when: ({ pod }) => pod.spec.dnsPolicy === 'None',
	},
	harmless('spec.dnsPolicy', 'Names resolve as on this machine where Pods do not get those of Services.'),
	resolverRule('spec.dnsConfig'),
	{
		field: 'spec.hostUsers',
		effect: 'held',
		only: '`false`',
		because: 'user namespaces are not supported: containers use the user IDs of this machine',
		instead: 'remove the field',
		when: ({ pod }) => pod.spec.hostUsers === false,
	},
	harmless('spec.hostUsers', 'Containers use the user IDs of this machine.'),
	{
		field: 'spec.serviceAccountName',
		effect: 'warned',
		only: 'other than `default`',
		...NO_TOKEN,
		when: ({ pod }) => !['', 'default'].includes(pod.spec.serviceAccountName ?? ''),
		comesWith: 'spec.volumes',
	},
	honoured('spec.serviceAccountName', 'Accounts may only read about the API.'),
	harmless('spec.serviceAccount', 'A deprecated alias of serviceAccountName.'),
	{
		field: 'spec.automountServiceAccountToken',
		effect: 'warned',
		only: '`true`',
		...NO_TOKEN,
		comesWith: 'spec.volumes',
	},
	honoured('spec.automountServiceAccountToken', BY_API),
	{
		field: 'spec.subdomain',
		effect: 'warned',
		only: 'where Pods do not get the names of Services',
		because: 'names of Services do not reach the Pods of this runtime',
		instead: 'use IP addresses',
		when: ({ traits }) => traits.podNetwork === undefined,
		byStint: true,
	},
	honoured('spec.setHostnameAsFQDN', 'The host name is the one with the domain, if the Pod has a subdomain.'),
	{
		field: 'spec.resources',
		effect: 'warned',
		only: '`limits`, where stint may not make control groups',
		because: 'stint may not make the control groups that enforce limits',
		instead: 'run stint as root or where systemd delegates control groups, or remove the limits',
		when: ({ pod }) => Object.keys(pod.spec.resources?.limits ?? {}).length > 0,
	},
	honoured('spec.resources', BY_SCHEDULER),
	honoured('spec.initContainers', BY_AGENT),
	honoured('spec.containers', BY_AGENT),
	honoured('spec.ephemeralContainers', 'The node agent starts those that are added to a running Pod.'),
	honoured('spec.restartPolicy', BY_AGENT),
	honoured('spec.terminationGracePeriodSeconds', BY_AGENT),
	honoured('spec.activeDeadlineSeconds', BY_AGENT),
	honoured('spec.readinessGates', BY_AGENT),
	honoured('spec.hostname', HOST_NAME),
	honoured('spec.hostnameOverride', HOST_NAME),
	honoured('spec.nodeName', BY_AGENT),
	honoured('spec.nodeSelector', BY_SCHEDULER),
	honoured('spec.affinity', BY_SCHEDULER),
	honoured('spec.schedulerName', BY_SCHEDULER),
	honoured('spec.schedulingGates', BY_SCHEDULER),
	honoured('spec.tolerations', BY_SCHEDULER),
	honoured('spec.topologySpreadConstraints', BY_SCHEDULER),
	honoured('spec.preemptionPolicy', BY_SCHEDULER),
	honoured('spec.priority', BY_API),
	honoured('spec.priorityClassName', BY_API),
	honoured('spec.hostNetwork', 'Containers use the network of this machine.'),
	honoured('spec.hostPID', 'Containers see all processes of this machine.'),
	honoured('spec.hostIPC', 'Containers use the IPC namespace of this machine.'),
	{
		field: 'spec.shareProcessNamespace',
		effect: 'held',
		because: 'each container sees only its own processes',
		instead: 'remove the field, or use hostPID to see all processes of this machine',
	},
	honoured('spec.shareProcessNamespace', 'Containers see the processes of each other.'),
	harmless('spec.imagePullSecrets', 'Images are not pulled: they name programs of this machine.'),
	honoured('spec.enableServiceLinks', 'Those of the API server are set in any case, as upstream.'),
];
