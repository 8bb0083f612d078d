/**
 * Schemas of containers and of their ports, resources, mounts and restart rules; those of environment variables are
 * in environment.ts. Regular, init and ephemeral containers share their fields; validation refuses those that a list does
 * not allow.
 */

import {
	boolean,
	type Infer,
	int32,
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
	setList,
	string,
} from '../../../schema/schema.ts';
import { envFromSourceSchema, envVarSchema } from './environment.ts';
import { lifecycleSchema, probeSchema } from './probe.ts';
import { securityContextSchema } from './security.ts';

/** Schema of v1.ContainerPort. */
export const containerPortSchema = object(
	'io.k8s.api.core.v1.ContainerPort',
	'Network port of a container.',
	{
		name: optional(
			string,
			'Name of the port, unique in the Pod: at most 15 lowercase letters, digits and hyphens. Probes can refer to it.',
		),
		hostPort: omitZero(
			int32,
			'Port of the node that leads to containerPort, 1 to 65535. With hostNetwork it must equal containerPort. Default: no port of the node.',
		),
		containerPort: required(int32, "Port number in the Pod's network, 1 to 65535."),
		protocol: optional(oneOf('TCP', 'UDP', 'SCTP'), 'Transport protocol of the port. Default TCP.'),
		hostIP: optional(string, 'IP address of the node that hostPort is bound to. Default: all addresses.'),
	},
);

/** Network port of a container. */
export type ContainerPort = Infer<typeof containerPortSchema>;

/** Schema of v1.ResourceClaim. */
const resourceClaimSchema = object(
	'io.k8s.api.core.v1.ResourceClaim',
	"Reference to an entry of the Pod's spec.resourceClaims.",
	{
		name: required(string, 'Name of the entry in spec.resourceClaims.'),
		request: optional(
			string,
			'Name of the request in the claim that is used. Default: all requests of the claim.',
		),
	},
);

/** Schema of v1.ResourceRequirements. */
export const resourceRequirementsSchema = object(
	'io.k8s.api.core.v1.ResourceRequirements',
	'Compute resources that a container or a Pod needs and may use.',
	{
		limits: optional(
			map(quantity),
			'Maximum amount of each resource, by its name, such as cpu or memory. Default: unlimited.',
		),
		requests: optional(
			map(quantity),
			'Minimum amount of each resource, by its name, which the scheduler reserves on the node. Default: the limit, if there is one.',
		),
		claims: optional(
			mapList(resourceClaimSchema, ['name'], { patch: 'replace' }),
			'Resource claims of the Pod that are used.',
		),
	},
);

/**
 * Compute resources that a container or a Pod needs (requests) and may use (limits), as quantities by name.
 */
export type ResourceRequirements = Infer<typeof resourceRequirementsSchema>;

/** Schema of v1.VolumeMount. */
export const volumeMountSchema = object(
	'io.k8s.api.core.v1.VolumeMount',
	'Mount of a volume in a container.',
	{
		name: required(string, 'Name of the entry in spec.volumes that is mounted.'),
		readOnly: omitZero(boolean, 'If true, the mount is read-only. Default false.'),
		recursiveReadOnly: nullable(
			oneOf('Disabled', 'IfPossible', 'Enabled'),
			'Whether mounts below a read-only mount are read-only too: Disabled (the default), IfPossible, or Enabled, which fails where the runtime cannot do it.',
		),
		mountPath: required(
			string,
			'Path in the container at which the volume is mounted. It must not contain a colon.',
		),
		subPath: optional(
			string,
			'Path in the volume from which to mount. Default empty: the root of the volume.',
		),
		mountPropagation: nullable(
			oneOf('None', 'HostToContainer', 'Bidirectional'),
			'How mounts made later propagate between the node and the container: None (the default), HostToContainer or Bidirectional.',
		),
		subPathExpr: optional(
			string,
			"Like subPath, but $(NAME) is replaced by the container's environment variables. Cannot be combined with subPath.",
		),
	},
);

/** Mount of a volume in a container. */
export type VolumeMount = Infer<typeof volumeMountSchema>;

const volumeDeviceSchema = object(
	'io.k8s.api.core.v1.VolumeDevice',
	'Raw block device of a volume in a container.',
	{
		name: required(string, 'Name of the entry in spec.volumes: a persistentVolumeClaim or ephemeral volume.'),
		devicePath: required(string, 'Path in the container at which the device appears.'),
	},
);

/** Raw block device of a volume in a container. */
export type VolumeDevice = Infer<typeof volumeDeviceSchema>;

const containerResizePolicySchema = object(
	'io.k8s.api.core.v1.ContainerResizePolicy',
	'Effect on the running container of resizing one resource in place.',
	{
		resourceName: required(string, 'Resource that the policy applies to: cpu or memory.'),
		restartPolicy: required(
			oneOf('NotRequired', 'RestartContainer'),
			'NotRequired resizes the running container, RestartContainer restarts it. Default NotRequired.',
		),
	},
);

const containerRestartRuleSchema = object(
	'io.k8s.api.core.v1.ContainerRestartRule',
	'Rule that decides by the exit code whether a container is restarted.',
	{
		action: optional(
			oneOf('Restart', 'RestartAllContainers'),
			'Action if the rule matches: Restart restarts the container, RestartAllContainers all containers of the Pod.',
		),
		exitCodes: optional(
			object(
				'io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes',
				"Comparison of a container's exit code with a list.",
				{
					operator: optional(
						oneOf('In', 'NotIn'),
						'In matches exit codes that are in values, NotIn all others.',
					),
					values: optional(setList(int32), 'Exit codes to compare with, at most 255.'),
				},
			),
			'Exit codes for which the rule matches. Required.',
		),
	},
);

const containerFields = {
	name: required(string, 'Name of the container: a DNS label, unique in the Pod.'),
	image: optional(string, 'Name of the image that the container runs.'),
	command: optional(
		list(string),
		'Program to run and its first arguments, without a shell. $(NAME) is replaced by environment variables. Default: the entrypoint of the image.',
	),
	args: optional(
		list(string),
		'Arguments of the program. $(NAME) is replaced by environment variables. Default: those of the image, unless command is set.',
	),
	workingDir: optional(string, 'Working directory of the container. Default: that of the image.'),
	ports: optional(
		mapList(containerPortSchema, ['containerPort', 'protocol'], { mergeKey: 'containerPort' }),
		'Ports that the container listens on. Except for hostPort they are informational: other ports can be reached too.',
	),
	envFrom: optional(
		list(envFromSourceSchema),
		'Sources of sets of environment variables. Later sources override earlier ones, and env overrides all of them.',
	),
	env: optional(mapList(envVarSchema, ['name']), 'Environment variables of the container.'),
	resources: optional(resourceRequirementsSchema, 'Compute resources that the container needs and may use.'),
	resizePolicy: optional(
		list(containerResizePolicySchema),
		'Effect on the container of resizing its cpu or memory in place.',
	),
	restartPolicy: nullable(
		string,
		"Restart policy of this container, in place of the Pod's: Always, OnFailure or Never. An init container with Always is a sidecar, which keeps running beside the containers.",
	),
	restartPolicyRules: optional(
		list(containerRestartRuleSchema),
		'Rules for restarting the container, at most 20; the first that matches its exit code decides. If none matches, restartPolicy decides, which must be set.',
	),
	volumeMounts: optional(
		mapList(volumeMountSchema, ['mountPath']),
		'Volumes of the Pod that are mounted in the container.',
	),
	volumeDevices: optional(
		mapList(volumeDeviceSchema, ['devicePath']),
		'Raw block devices of volumes that the container uses.',
	),
	livenessProbe: optional(
		probeSchema,
		'Periodic check of the running container. If it fails, the container is restarted.',
	),
	readinessProbe: optional(
		probeSchema,
		'Periodic check whether the container can serve requests. While it fails, the container is not ready.',
	),
	startupProbe: optional(
		probeSchema,
		'Check whether the container has started. Other probes begin after its success. If it fails, the container is restarted.',
	),
	lifecycle: optional(
		lifecycleSchema,
		'Hooks that run after the start of the container and before it is stopped.',
	),
	terminationMessagePath: optional(
		string,
		'File in the container whose content becomes the message of its terminated state. Default /dev/termination-log.',
	),
	terminationMessagePolicy: optional(
		oneOf('File', 'FallbackToLogsOnError'),
		'Source of the termination message: File (the default), or FallbackToLogsOnError, which takes the end of the log if the container failed and the file is empty.',
	),
	imagePullPolicy: optional(
		oneOf('Always', 'IfNotPresent', 'Never'),
		'When the image is pulled. Default: Always if the image has the tag latest, or neither tag nor digest; else IfNotPresent.',
	),
	securityContext: optional(
		securityContextSchema,
		'Security settings of the container. They override those of the Pod.',
	),
	stdin: omitZero(
		boolean,
		'If true, standard input stays open for clients that attach; otherwise the container reads the end of the file at once. Default false.',
	),
	stdinOnce: omitZero(
		boolean,
		'If true, standard input is closed when the first client that attached disconnects. Default false.',
	),
	tty: omitZero(
		boolean,
		'If true, the container gets a terminal; stdin must be true as well. Default false.',
	),
};

/** Schema of v1.Container. */
export const containerSchema = object(
	'io.k8s.api.core.v1.Container',
	'Container that runs in a Pod.',
	containerFields,
);

/** Container that runs in a Pod: a regular or an init container. */
export type Container = Infer<typeof containerSchema>;

/** Schema of v1.EphemeralContainer. */
export const ephemeralContainerSchema = object(
	'io.k8s.api.core.v1.EphemeralContainer',
	'Container that is added to a running Pod for debugging.',
	{
		...containerFields,
		targetContainerName: optional(
			string,
			'Name of the container whose processes the ephemeral container can see. Default: those of no other container.',
		),
	},
);

/** Container that is added to a running Pod for debugging. */
export type EphemeralContainer = Infer<typeof ephemeralContainerSchema>;
