import {
	boolean,
	type Infer,
	int32,
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
	setList,
	string,
} from '../../meta/schema.ts';
import { lifecycleSchema, probeSchema } from './probe-schema.ts';
import { objectFieldSelectorSchema, resourceFieldSelectorSchema } from './reference-schema.ts';
import { securityContextSchema } from './security-schema.ts';

const selectorFields = {
	name: optional(string, 'Name of the object.'),
	key: required(string, 'The key in it.'),
	optional: optional(boolean, 'Whether it may be missing.'),
};

const envVarSourceSchema = object('io.k8s.api.core.v1.EnvVarSource', 'Where a variable has its value from.', {
	fieldRef: optional(objectFieldSelectorSchema, 'A field of the Pod.'),
	resourceFieldRef: optional(resourceFieldSelectorSchema, 'A request or limit of the container.'),
	configMapKeyRef: optional(
		object('io.k8s.api.core.v1.ConfigMapKeySelector', 'A key of a ConfigMap.', selectorFields, {
			atomic: true,
		}),
		'A key of a ConfigMap.',
	),
	secretKeyRef: optional(
		object('io.k8s.api.core.v1.SecretKeySelector', 'A key of a Secret.', selectorFields, { atomic: true }),
		'A key of a Secret.',
	),
	fileKeyRef: optional(
		object(
			'io.k8s.api.core.v1.FileKeySelector',
			'A variable in a file of a volume.',
			{
				volumeName: required(string, 'The volume.'),
				path: required(string, 'The file in it.'),
				key: required(string, 'The variable in the file.'),
				optional: optional(boolean, 'Whether it may be missing.'),
			},
			{ atomic: true },
		),
		'A variable in a file.',
	),
});

/** Where a variable has its value from. */
export type EnvVarSource = Infer<typeof envVarSourceSchema>;

/** Schema of v1.EnvVar. */
export const envVarSchema = object(
	'io.k8s.api.core.v1.EnvVar',
	'A variable in the environment of a container.',
	{
		name: required(string, 'Name of the variable.'),
		value: optional(string, 'Its value; $(NAME) stands for an earlier variable.'),
		valueFrom: optional(envVarSourceSchema, 'Where its value is taken from.'),
	},
);

/** A variable in the environment of a container. */
export type EnvVar = Infer<typeof envVarSchema>;

const envFromReference = {
	name: optional(string, 'Name of the object.'),
	optional: optional(boolean, 'Whether it may be missing.'),
};

const envFromSourceSchema = object('io.k8s.api.core.v1.EnvFromSource', 'Takes a set of variables.', {
	prefix: optional(string, 'Put before the name of each.'),
	configMapRef: optional(
		object('io.k8s.api.core.v1.ConfigMapEnvSource', 'All keys of a ConfigMap.', envFromReference),
		'All keys of a ConfigMap.',
	),
	secretRef: optional(
		object('io.k8s.api.core.v1.SecretEnvSource', 'All keys of a Secret.', envFromReference),
		'All keys of a Secret.',
	),
});

/** Takes a set of variables from a ConfigMap or a Secret. */
export type EnvFromSource = Infer<typeof envFromSourceSchema>;

/** Schema of v1.ContainerPort. */
export const containerPortSchema = object(
	'io.k8s.api.core.v1.ContainerPort',
	'A port that a container serves.',
	{
		name: optional(string, 'A name for it, unique in the Pod.'),
		hostPort: plain(int32, 'The port of the node that leads to it.'),
		containerPort: required(int32, 'The port.'),
		protocol: optional(oneOf('TCP', 'UDP', 'SCTP'), 'TCP where it is left out.'),
		hostIP: optional(string, 'The address of the node to bind the host port to.'),
	},
);

/** A port that a container serves. */
export type ContainerPort = Infer<typeof containerPortSchema>;

/** Schema of v1.ResourceClaim. */
const resourceClaimSchema = object('io.k8s.api.core.v1.ResourceClaim', 'Uses a claim of the Pod.', {
	name: required(string, 'Name of the claim in the Pod.'),
	request: optional(string, 'The request in the claim.'),
});

/** Schema of v1.ResourceRequirements. */
export const resourceRequirementsSchema = object(
	'io.k8s.api.core.v1.ResourceRequirements',
	'What a container needs and may use.',
	{
		limits: optional(map(quantity), 'The most it may use.'),
		requests: optional(map(quantity), 'What it needs at least.'),
		claims: optional(
			mapList(resourceClaimSchema, ['name'], { patch: 'replace' }),
			'The claims of the Pod that it uses.',
		),
	},
);

/** What a container needs and may use. */
export type ResourceRequirements = Infer<typeof resourceRequirementsSchema>;

/** Schema of v1.VolumeMount. */
export const volumeMountSchema = object('io.k8s.api.core.v1.VolumeMount', 'Puts a volume into a container.', {
	name: required(string, 'The volume of the Pod.'),
	readOnly: plain(boolean, 'Whether it can only be read.'),
	recursiveReadOnly: pointer(
		oneOf('Disabled', 'IfPossible', 'Enabled'),
		'Whether mounts below are read-only too.',
	),
	mountPath: required(string, 'Where it appears.'),
	subPath: optional(string, 'The part of the volume that appears.'),
	mountPropagation: pointer(oneOf('None', 'HostToContainer', 'Bidirectional'), 'Whether later mounts show.'),
	subPathExpr: optional(string, 'The same with variables of the environment in it.'),
});

/** Puts a volume into a container. */
export type VolumeMount = Infer<typeof volumeMountSchema>;

const volumeDeviceSchema = object(
	'io.k8s.api.core.v1.VolumeDevice',
	'Puts a block device into a container.',
	{
		name: required(string, 'The volume claim of the Pod.'),
		devicePath: required(string, 'Where it appears.'),
	},
);

/** Puts a block device into a container. */
export type VolumeDevice = Infer<typeof volumeDeviceSchema>;

const containerResizePolicySchema = object(
	'io.k8s.api.core.v1.ContainerResizePolicy',
	'What a change of a resource means for the running container.',
	{
		resourceName: required(string, 'The resource.'),
		restartPolicy: required(oneOf('NotRequired', 'RestartContainer'), 'Whether the container is restarted.'),
	},
);

const containerRestartRuleSchema = object(
	'io.k8s.api.core.v1.ContainerRestartRule',
	'What to do when the container ends in a certain way.',
	{
		action: optional(oneOf('Restart', 'RestartAllContainers'), 'What to do.'),
		exitCodes: optional(
			object('io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes', 'Compares the exit code.', {
				operator: optional(oneOf('In', 'NotIn'), 'How it is compared.'),
				values: optional(setList(int32), 'What it is compared with.'),
			}),
			'By exit code.',
		),
	},
);

const containerFields = {
	name: required(string, 'Name of the container, unique in the Pod.'),
	image: optional(string, 'The image to run.'),
	command: optional(list(string), 'Replaces the entrypoint of the image.'),
	args: optional(list(string), 'Replaces the arguments of the image.'),
	workingDir: optional(string, 'The folder to run in.'),
	ports: optional(
		mapList(containerPortSchema, ['containerPort', 'protocol'], { mergeKey: 'containerPort' }),
		'The ports it serves.',
	),
	envFrom: optional(list(envFromSourceSchema), 'Sets of variables.'),
	env: optional(mapList(envVarSchema, ['name']), 'Variables.'),
	resources: optional(resourceRequirementsSchema, 'What it needs and may use.'),
	resizePolicy: optional(list(containerResizePolicySchema), 'What changes of resources mean for it.'),
	restartPolicy: pointer(
		string,
		'When it is restarted, where that differs from the Pod; Always makes an init container a sidecar.',
	),
	restartPolicyRules: optional(list(containerRestartRuleSchema), 'What to do about certain exits.'),
	volumeMounts: optional(mapList(volumeMountSchema, ['mountPath']), 'The volumes it sees.'),
	volumeDevices: optional(mapList(volumeDeviceSchema, ['devicePath']), 'The block devices it sees.'),
	livenessProbe: optional(probeSchema, 'Restarts it when it fails.'),
	readinessProbe: optional(probeSchema, 'Says whether it can serve.'),
	startupProbe: optional(probeSchema, 'Says whether it has started.'),
	lifecycle: optional(lifecycleSchema, 'What to do after its start and before its end.'),
	terminationMessagePath: optional(string, 'The file whose content becomes its last message.'),
	terminationMessagePolicy: optional(
		oneOf('File', 'FallbackToLogsOnError'),
		'Where the last message is taken from.',
	),
	imagePullPolicy: optional(oneOf('Always', 'IfNotPresent', 'Never'), 'When the image is pulled.'),
	securityContext: optional(securityContextSchema, 'With which rights it runs.'),
	stdin: plain(boolean, 'Whether it has standard input.'),
	stdinOnce: plain(boolean, 'Whether that is closed after the first client.'),
	tty: plain(boolean, 'Whether it has a terminal.'),
};

/** Schema of v1.Container. */
export const containerSchema = object(
	'io.k8s.api.core.v1.Container',
	'A program to run in a Pod.',
	containerFields,
);

/** A program to run in a Pod. */
export type Container = Infer<typeof containerSchema>;

/** Schema of v1.EphemeralContainer. */
export const ephemeralContainerSchema = object(
	'io.k8s.api.core.v1.EphemeralContainer',
	'A container added to a running Pod, to look into it.',
	{ ...containerFields, targetContainerName: optional(string, 'The container to look into.') },
);

/** A container added to a running Pod, to look into it. */
export type EphemeralContainer = Infer<typeof ephemeralContainerSchema>;
