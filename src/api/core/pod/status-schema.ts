import {
	always,
	boolean,
	type Infer,
	int32,
	int64,
	list,
	map,
	mapList,
	object,
	oneOf,
	optional,
	plain,
	pointer,
	quantity,
	required,
	string,
	time,
	timeOrNull,
} from '../../meta/schema.ts';
import { resourceRequirementsSchema } from './container-schema.ts';

const containerStateSchema = object(
	'io.k8s.api.core.v1.ContainerState',
	'What a container is doing: one of the three.',
	{
		waiting: optional(
			object('io.k8s.api.core.v1.ContainerStateWaiting', 'It has yet to run.', {
				reason: optional(string, 'Why, in a word.'),
				message: optional(string, 'Why, in a sentence.'),
			}),
			'It has yet to run.',
		),
		running: optional(
			object('io.k8s.api.core.v1.ContainerStateRunning', 'It runs.', {
				startedAt: always(timeOrNull, 'Since when.'),
			}),
			'It runs.',
		),
		terminated: optional(
			object('io.k8s.api.core.v1.ContainerStateTerminated', 'It has ended.', {
				exitCode: required(int32, 'With which exit code.'),
				signal: plain(int32, 'By which signal.'),
				reason: optional(string, 'Why, in a word.'),
				message: optional(string, 'Why, in a sentence.'),
				startedAt: always(timeOrNull, 'When it had started.'),
				finishedAt: always(timeOrNull, 'When it ended.'),
				containerID: optional(string, 'Its id.'),
			}),
			'It has ended.',
		),
	},
);

/** What a container is doing. */
export type ContainerState = Infer<typeof containerStateSchema>;

const volumeMountStatusSchema = object('io.k8s.api.core.v1.VolumeMountStatus', 'How a volume is mounted.', {
	name: required(string, 'The volume.'),
	mountPath: required(string, 'Where it appears.'),
	readOnly: plain(boolean, 'Whether it can only be read.'),
	recursiveReadOnly: pointer(string, 'Whether mounts below are read-only too.'),
	volumeStatus: optional(
		object('io.k8s.api.core.v1.VolumeStatus', 'How a volume of a special kind is doing.', {
			image: optional(
				object('io.k8s.api.core.v1.ImageVolumeStatus', 'Which image is mounted.', {
					imageRef: optional(string, 'What the image is exactly.'),
				}),
				'Which image is mounted.',
			),
		}),
		'How the volume is doing.',
	),
});

const containerUserSchema = object('io.k8s.api.core.v1.ContainerUser', 'As whom a container runs.', {
	linux: optional(
		object('io.k8s.api.core.v1.LinuxContainerUser', 'User and groups of the first process.', {
			uid: required(int64, 'The user id.'),
			gid: required(int64, 'The group id.'),
			supplementalGroups: optional(list(int64), 'Further groups.'),
		}),
		'User and groups on Linux.',
	),
});

const resourceStatusSchema = object('io.k8s.api.core.v1.ResourceStatus', 'How devices are doing.', {
	name: required(string, 'The resource.'),
	resources: optional(
		mapList(
			object('io.k8s.api.core.v1.ResourceHealth', 'How a device is doing.', {
				resourceID: required(string, 'Id of the device.'),
				health: optional(string, 'Healthy, Unhealthy or Unknown.'),
				message: pointer(string, 'More about it.'),
			}),
			['resourceID'],
			{ patch: 'replace' },
		),
		'The devices.',
	),
});

const containerStatusSchema = object('io.k8s.api.core.v1.ContainerStatus', 'How a container is doing.', {
	name: required(string, 'Name of the container.'),
	state: always(containerStateSchema, 'What it is doing.'),
	lastState: always(containerStateSchema, 'How it ended the last time.'),
	ready: required(boolean, 'Whether it can serve.'),
	restartCount: required(int32, 'How often it was started again.'),
	image: required(string, 'The image it runs.'),
	imageID: required(string, 'What that image is exactly.'),
	containerID: optional(string, 'Its id, `<runtime>://<id>`.'),
	started: optional(boolean, 'Whether it has started.'),
	allocatedResources: optional(map(quantity), 'What the node set aside for it.'),
	resources: optional(resourceRequirementsSchema, 'What it has and may use now.'),
	volumeMounts: optional(mapList(volumeMountStatusSchema, ['mountPath']), 'How its volumes are mounted.'),
	user: optional(containerUserSchema, 'As whom it runs.'),
	allocatedResourcesStatus: optional(mapList(resourceStatusSchema, ['name']), 'How its devices are doing.'),
	stopSignal: pointer(string, 'The signal that asks it to end.'),
});

/** How a container is doing. */
export type ContainerStatus = Infer<typeof containerStatusSchema>;

const podConditionSchema = object('io.k8s.api.core.v1.PodCondition', 'One aspect of how a Pod is doing.', {
	type: required(string, 'Which aspect.'),
	observedGeneration: plain(int64, 'The generation it was set upon.'),
	status: required(oneOf('True', 'False', 'Unknown'), 'True, False or Unknown.'),
	lastProbeTime: always(timeOrNull, 'When it was looked at last.'),
	lastTransitionTime: always(timeOrNull, 'When it changed last.'),
	reason: optional(string, 'Why, in a word.'),
	message: optional(string, 'Why, in a sentence.'),
});

/** One aspect of how a Pod is doing. */
export type PodCondition = Infer<typeof podConditionSchema>;

const hostIpSchema = object('io.k8s.api.core.v1.HostIP', 'An address of the node.', {
	ip: required(string, 'The address.'),
});

const podIpSchema = object('io.k8s.api.core.v1.PodIP', 'An address of a Pod.', {
	ip: required(string, 'The address.'),
});

/** Schema of v1.PodStatus. */
export const podStatusSchema = object('io.k8s.api.core.v1.PodStatus', 'How a Pod is doing.', {
	observedGeneration: plain(int64, 'The generation that was seen.'),
	phase: optional(oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'), 'Where in its life it is.'),
	conditions: optional(mapList(podConditionSchema, ['type']), 'How it is doing, by aspect.'),
	message: optional(string, 'Why it is as it is, in a sentence.'),
	reason: optional(string, 'Why it is as it is, in a word.'),
	nominatedNodeName: optional(string, 'The node that is being cleared for it.'),
	hostIP: optional(string, 'The address of its node.'),
	hostIPs: optional(list(hostIpSchema, { mergeKey: 'ip', patch: 'merge' }), 'The addresses of its node.'),
	podIP: optional(string, 'Its address.'),
	podIPs: optional(mapList(podIpSchema, ['ip']), 'Its addresses.'),
	startTime: optional(time, 'When its node saw it first.'),
	initContainerStatuses: optional(list(containerStatusSchema), 'How its init containers are doing.'),
	containerStatuses: optional(list(containerStatusSchema), 'How its containers are doing.'),
	qosClass: optional(
		oneOf('BestEffort', 'Burstable', 'Guaranteed'),
		'How well it is treated when memory is scarce.',
	),
	ephemeralContainerStatuses: optional(
		list(containerStatusSchema),
		'How its ephemeral containers are doing.',
	),
	resize: optional(string, 'How a change of resources is getting on.'),
	resourceClaimStatuses: optional(
		mapList(
			object('io.k8s.api.core.v1.PodResourceClaimStatus', 'Which claim was made.', {
				name: required(string, 'Name of the claim in the Pod.'),
				resourceClaimName: pointer(string, 'Name of the claim.'),
			}),
			['name'],
			{ retainKeys: true },
		),
		'Which claims were made.',
	),
	extendedResourceClaimStatus: optional(
		object('io.k8s.api.core.v1.PodExtendedResourceClaimStatus', 'A claim made for extended resources.', {
			requestMappings: required(
				list(
					object('io.k8s.api.core.v1.ContainerExtendedResourceRequest', 'Which request serves whom.', {
						containerName: required(string, 'The container.'),
						resourceName: required(string, 'The resource it asked for.'),
						requestName: required(string, 'The request in the claim.'),
					}),
				),
				'Which request serves which container.',
			),
			resourceClaimName: required(string, 'Name of the claim.'),
		}),
		'The claim made for its extended resources.',
	),
	allocatedResources: optional(map(quantity), 'What the node set aside for the Pod.'),
	resources: optional(resourceRequirementsSchema, 'What the Pod has and may use now.'),
});

/** How a Pod is doing. */
export type PodStatus = Infer<typeof podStatusSchema>;
