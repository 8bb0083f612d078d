/**
 * Schemas of a Pod's observed state. The node agent writes the state of containers, the scheduler the
 * condition PodScheduled and the nomination, controllers the condition DisruptionTarget.
 */

import {
	always,
	boolean,
	type Infer,
	int32,
	int64,
	list,
	map,
	mapList,
	nullable,
	object,
	omitZero,
	oneOf,
	optional,
	quantity,
	required,
	string,
	time,
	timeOrNull,
} from '../../../schema/schema.ts';
import { resourceRequirementsSchema } from './container.ts';

const containerStateSchema = object(
	'io.k8s.api.core.v1.ContainerState',
	'State of a container. Exactly one field is set; if none is, the container is waiting.',
	{
		waiting: optional(
			object('io.k8s.api.core.v1.ContainerStateWaiting', 'State of a container that has not started yet.', {
				reason: optional(string, 'Reason in CamelCase, such as ImagePullBackOff.'),
				message: optional(string, 'Details of the reason, for humans.'),
			}),
			'Set while the container has not started yet.',
		),
		running: optional(
			object('io.k8s.api.core.v1.ContainerStateRunning', 'State of a container that is running.', {
				startedAt: always(timeOrNull, 'Time at which the container was started.'),
			}),
			'Set while the container is running.',
		),
		terminated: optional(
			object('io.k8s.api.core.v1.ContainerStateTerminated', 'State of a container that has exited.', {
				exitCode: required(int32, 'Exit code of the container.'),
				signal: omitZero(int32, 'Number of the signal that ended the container. 0 if no signal did.'),
				reason: optional(string, 'Reason in CamelCase, such as Completed or Error.'),
				message: optional(string, 'Termination message of the container, or details of the reason.'),
				startedAt: always(timeOrNull, 'Time at which the container was started.'),
				finishedAt: always(timeOrNull, 'Time at which the container exited.'),
				containerID: optional(string, 'Identifier of the container, as <runtime>://<id>.'),
			}),
			'Set once the container has exited.',
		),
	},
);

/** State of a container: at most one field is set; without any it is waiting. */
export type ContainerState = Infer<typeof containerStateSchema>;

const volumeMountStatusSchema = object(
	'io.k8s.api.core.v1.VolumeMountStatus',
	'State of a volume mount in a running container.',
	{
		name: required(string, 'Name of the entry in spec.volumes that is mounted.'),
		mountPath: required(string, 'Path in the container at which the volume is mounted.'),
		readOnly: omitZero(boolean, 'Whether the mount is read-only.'),
		recursiveReadOnly: nullable(
			string,
			'Whether mounts below the mount are read-only too: Disabled or Enabled.',
		),
		volumeStatus: optional(
			object('io.k8s.api.core.v1.VolumeStatus', 'State of a volume whose source reports one.', {
				image: optional(
					object('io.k8s.api.core.v1.ImageVolumeStatus', 'State of a volume with the content of an image.', {
						imageRef: optional(string, 'Digest of the image that is mounted.'),
					}),
					'Set for volumes with the content of an image.',
				),
			}),
			'State of the volume, if its source reports one.',
		),
	},
);

const containerUserSchema = object(
	'io.k8s.api.core.v1.ContainerUser',
	"User and groups that a container's first process was started with.",
	{
		linux: optional(
			object(
				'io.k8s.api.core.v1.LinuxContainerUser',
				'User and groups of the first process of a container on Linux.',
				{
					uid: required(int64, 'Primary user id of the first process.'),
					gid: required(int64, 'Primary group id of the first process.'),
					supplementalGroups: optional(list(int64), 'Ids of further groups of the first process.'),
				},
			),
			'User and groups of a container on Linux.',
		),
	},
);

const resourceStatusSchema = object(
	'io.k8s.api.core.v1.ResourceStatus',
	'Health of the devices that provide one resource to a container.',
	{
		name: required(string, 'Name of the resource, or claim:<name>/<request> for a resource claim.'),
		resources: optional(
			mapList(
				object('io.k8s.api.core.v1.ResourceHealth', 'Health of one device of a resource.', {
					resourceID: required(string, 'Identifier of the device, unique for the resource on the node.'),
					health: optional(string, 'Health of the device: Healthy, Unhealthy or Unknown.'),
					message: nullable(string, 'Details of the health, for humans.'),
				}),
				['resourceID'],
				{ patch: 'replace' },
			),
			'Devices of the resource that the container was given.',
		),
	},
);

const containerStatusSchema = object('io.k8s.api.core.v1.ContainerStatus', 'Observed state of a container.', {
	name: required(string, "Name of the container in the Pod's spec."),
	state: always(containerStateSchema, 'Present state of the container.'),
	lastState: always(
		containerStateSchema,
		'State of the previous container attempt, which has exited. Empty before the first restart.',
	),
	ready: required(
		boolean,
		'Whether the container can serve requests: it is running and its readiness probe passes.',
	),
	restartCount: required(int32, 'Number of times that the container was restarted.'),
	image: required(string, 'Name of the image that the container runs.'),
	imageID: required(string, 'Digest or identifier of the image that the container runs.'),
	containerID: optional(string, 'Identifier of the container, as <runtime>://<id>.'),
	started: optional(
		boolean,
		'Whether the container has started: it is running, its startup probe has passed and its postStart hook has ended.',
	),
	allocatedResources: optional(map(quantity), 'Resources that the node has reserved for the container.'),
	resources: optional(resourceRequirementsSchema, 'Resources that the running container is configured with.'),
	volumeMounts: optional(
		mapList(volumeMountStatusSchema, ['mountPath']),
		"State of the container's volume mounts.",
	),
	user: optional(containerUserSchema, "User and groups that the container's first process was started with."),
	allocatedResourcesStatus: optional(
		mapList(resourceStatusSchema, ['name']),
		'Health of the devices that the container was given.',
	),
	stopSignal: nullable(string, 'Signal that asks the container to stop.'),
});

/** Observed state of a container in a Pod's status (not that of a container runtime). */
export type ContainerStatus = Infer<typeof containerStatusSchema>;

const podConditionSchema = object(
	'io.k8s.api.core.v1.PodCondition',
	"Latest observation of one aspect of a Pod's state.",
	{
		type: required(
			string,
			'Type of the condition, such as PodScheduled, Initialized, ContainersReady, Ready or DisruptionTarget.',
		),
		observedGeneration: omitZero(
			int64,
			'Generation of the Pod (metadata.generation) for which the condition was set.',
		),
		status: required(
			oneOf('True', 'False', 'Unknown'),
			'Whether the condition holds: True, False or Unknown.',
		),
		lastProbeTime: always(timeOrNull, 'Time at which the condition was last checked. Null in general.'),
		lastTransitionTime: always(timeOrNull, 'Time at which the status of the condition last changed.'),
		reason: optional(string, 'Reason for the last change, in CamelCase.'),
		message: optional(string, 'Details of the last change, for humans.'),
	},
);

/** Latest observation of one aspect of a Pod's state. */
export type PodCondition = Infer<typeof podConditionSchema>;

const hostIpSchema = object('io.k8s.api.core.v1.HostIP', 'IP address of the node that runs a Pod.', {
	ip: required(string, 'IP address of the node.'),
});

const podIpSchema = object('io.k8s.api.core.v1.PodIP', 'IP address of a Pod.', {
	ip: required(string, 'IP address of the Pod.'),
});

/** Schema of v1.PodStatus. */
export const podStatusSchema = object(
	'io.k8s.api.core.v1.PodStatus',
	'Observed state of a Pod, written by the scheduler and the node agent.',
	{
		observedGeneration: omitZero(
			int64,
			'Generation of the Pod (metadata.generation) that the node agent has applied.',
		),
		phase: optional(
			oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
			"Summary of the Pod's lifecycle: Pending (a container has not started yet), Running, Succeeded (all exited with 0), Failed or Unknown (the node does not report).",
		),
		conditions: optional(
			mapList(podConditionSchema, ['type']),
			"Latest observations of the Pod's state, such as PodScheduled, Ready or DisruptionTarget.",
		),
		message: optional(string, 'Details of the reason, for humans.'),
		reason: optional(string, 'Reason why the Pod is in this state, in CamelCase, such as Evicted.'),
		nominatedNodeName: optional(
			string,
			'Name of the Node on which the scheduler preempts other Pods for this one. The Pod can still be bound to another Node.',
		),
		hostIP: optional(string, 'IP address of the node, once the Pod is bound to it.'),
		hostIPs: optional(
			list(hostIpSchema, { mergeKey: 'ip', patch: 'merge' }),
			'IP addresses of the node, at most one of each IP family. The first equals hostIP.',
		),
		podIP: optional(string, 'IP address of the Pod. Empty until it has one.'),
		podIPs: optional(
			mapList(podIpSchema, ['ip']),
			'IP addresses of the Pod, at most one of each IP family. The first equals podIP.',
		),
		startTime: optional(
			time,
			'Time at which the node agent accepted the Pod, before its images were pulled.',
		),
		initContainerStatuses: optional(
			list(containerStatusSchema),
			'State of the init containers, in the order of spec.initContainers.',
		),
		containerStatuses: optional(list(containerStatusSchema), 'State of the containers in spec.containers.'),
		qosClass: optional(
			oneOf('BestEffort', 'Burstable', 'Guaranteed'),
			'Quality of service class, which follows from the resources: under memory pressure, a node evicts BestEffort first and Guaranteed last.',
		),
		ephemeralContainerStatuses: optional(list(containerStatusSchema), 'State of the ephemeral containers.'),
		resize: optional(
			string,
			'Deprecated: state of an in-place resize, now reported by the conditions PodResizePending and PodResizeInProgress.',
		),
		resourceClaimStatuses: optional(
			mapList(
				object(
					'io.k8s.api.core.v1.PodResourceClaimStatus',
					'ResourceClaim that belongs to an entry of spec.resourceClaims.',
					{
						name: required(string, 'Name of the entry in spec.resourceClaims.'),
						resourceClaimName: nullable(
							string,
							'Name of the ResourceClaim that was created for the entry. Absent if no claim was needed.',
						),
					},
				),
				['name'],
				{ retainKeys: true },
			),
			'ResourceClaims that were created for the entries of spec.resourceClaims.',
		),
		extendedResourceClaimStatus: optional(
			object(
				'io.k8s.api.core.v1.PodExtendedResourceClaimStatus',
				'ResourceClaim that the scheduler created for extended resources of the Pod.',
				{
					requestMappings: required(
						list(
							object(
								'io.k8s.api.core.v1.ContainerExtendedResourceRequest',
								'Request of a claim that provides an extended resource to a container.',
								{
									containerName: required(string, 'Name of the container that requests the resource.'),
									resourceName: required(string, 'Name of the extended resource.'),
									requestName: required(string, 'Name of the request in the claim.'),
								},
							),
						),
						'Request of the claim for each extended resource of each container.',
					),
					resourceClaimName: required(string, "Name of the ResourceClaim in the Pod's namespace."),
				},
			),
			'ResourceClaim that the scheduler created for extended resources of the Pod.',
		),
		allocatedResources: optional(
			map(quantity),
			'Resources that the node has reserved for the Pod as a whole.',
		),
		resources: optional(
			resourceRequirementsSchema,
			'Resources that the running Pod is configured with as a whole.',
		),
	},
);

/** Observed state of a Pod. */
export type PodStatus = Infer<typeof podStatusSchema>;
