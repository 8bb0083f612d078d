/** Schemas of security settings. A container's setting overrides the Pod's of the same name. */

import {
	boolean,
	type Infer,
	int64,
	list,
	nullable,
	object,
	oneOf,
	optional,
	required,
	string,
} from '../../../schema/schema.ts';

const seLinuxOptionsSchema = object('io.k8s.api.core.v1.SELinuxOptions', 'SELinux context of a container.', {
	user: optional(string, 'User part of the SELinux context.'),
	role: optional(string, 'Role part of the SELinux context.'),
	type: optional(string, 'Type part of the SELinux context.'),
	level: optional(string, 'Level part of the SELinux context.'),
});

const windowsOptionsSchema = object(
	'io.k8s.api.core.v1.WindowsSecurityContextOptions',
	'Security settings of containers on Windows.',
	{
		gmsaCredentialSpecName: nullable(string, 'Name of the GMSA credential spec to use.'),
		gmsaCredentialSpec: nullable(
			string,
			'Content of the GMSA credential spec named by gmsaCredentialSpecName.',
		),
		runAsUserName: nullable(
			string,
			"Name of the Windows user that runs the container's entrypoint. Default: that of the image.",
		),
		hostProcess: optional(
			boolean,
			'If true, the container runs as a process of the Windows host. All containers of a Pod must agree. Default false.',
		),
	},
);

const profileFields = {
	type: required(
		oneOf('Unconfined', 'RuntimeDefault', 'Localhost'),
		'Unconfined applies no profile, RuntimeDefault that of the container runtime, Localhost the one that localhostProfile names.',
	),
	localhostProfile: nullable(
		string,
		'Profile that is present on the node. Required with type Localhost, not allowed otherwise.',
	),
};

const seccompProfileSchema = object(
	'io.k8s.api.core.v1.SeccompProfile',
	'Seccomp profile, which limits the system calls of a container.',
	profileFields,
);

const appArmorProfileSchema = object(
	'io.k8s.api.core.v1.AppArmorProfile',
	'AppArmor profile, which limits what a container may access.',
	profileFields,
);

const capabilitiesSchema = object(
	'io.k8s.api.core.v1.Capabilities',
	"Linux capabilities that are added to or dropped from the runtime's default set.",
	{
		add: optional(list(string), 'Names of capabilities to add.'),
		drop: optional(list(string), 'Names of capabilities to drop.'),
	},
);

/** Schema of v1.SecurityContext. */
export const securityContextSchema = object(
	'io.k8s.api.core.v1.SecurityContext',
	'Security settings of a container. They override those of the Pod.',
	{
		capabilities: optional(
			capabilitiesSchema,
			'Linux capabilities to add and drop. Default: the set of the container runtime.',
		),
		privileged: optional(
			boolean,
			'If true, the container has the rights of root on the node. Default false.',
		),
		seLinuxOptions: optional(
			seLinuxOptionsSchema,
			'SELinux context of the container. Default: that of the Pod, else a random one of the runtime.',
		),
		windowsOptions: optional(windowsOptionsSchema, 'Settings for containers on Windows.'),
		runAsUser: optional(
			int64,
			"User id of the container's processes. Default: that of the Pod, else of the image.",
		),
		runAsGroup: optional(
			int64,
			"Group id of the container's processes. Default: that of the Pod, else of the runtime.",
		),
		runAsNonRoot: optional(
			boolean,
			'If true, a container that would run as user 0 is not started. Default: that of the Pod, else false.',
		),
		readOnlyRootFilesystem: optional(
			boolean,
			'If true, the root file system of the container is read-only. Default false.',
		),
		allowPrivilegeEscalation: optional(
			boolean,
			'Whether a process may gain more privileges than its parent, for example through setuid programs. Always true for privileged containers.',
		),
		procMount: nullable(
			oneOf('Default', 'Unmasked'),
			'How /proc is mounted: Default masks parts of it, Unmasked shows all of it and requires hostUsers false.',
		),
		seccompProfile: optional(
			seccompProfileSchema,
			'Seccomp profile of the container. Default: that of the Pod.',
		),
		appArmorProfile: optional(
			appArmorProfileSchema,
			'AppArmor profile of the container. Default: that of the Pod.',
		),
	},
);

/** Security settings of a container. */
export type SecurityContext = Infer<typeof securityContextSchema>;

const sysctlSchema = object(
	'io.k8s.api.core.v1.Sysctl',
	"Kernel parameter that is set in the Pod's namespaces.",
	{
		name: required(string, 'Name of the kernel parameter, such as net.ipv4.tcp_syncookies.'),
		value: required(string, 'Value of the kernel parameter.'),
	},
);

/** Schema of v1.PodSecurityContext. */
export const podSecurityContextSchema = object(
	'io.k8s.api.core.v1.PodSecurityContext',
	'Security settings of a Pod. Those of a container override them.',
	{
		seLinuxOptions: optional(
			seLinuxOptionsSchema,
			'SELinux context of all containers. Default: a random one of the runtime.',
		),
		windowsOptions: optional(windowsOptionsSchema, 'Settings for containers on Windows.'),
		runAsUser: optional(int64, 'User id of the processes of all containers. Default: that of the image.'),
		runAsGroup: optional(int64, 'Group id of the processes of all containers. Default: that of the runtime.'),
		runAsNonRoot: optional(
			boolean,
			'If true, a container that would run as user 0 is not started. Default false.',
		),
		supplementalGroups: optional(list(int64), "Ids of further groups of the containers' processes."),
		supplementalGroupsPolicy: nullable(
			oneOf('Merge', 'Strict'),
			'Merge (the default) adds the groups of the user in the image to supplementalGroups and fsGroup, Strict does not.',
		),
		fsGroup: optional(
			int64,
			'Id of a group that owns the volumes and that all processes belong to. Default: the owner of volumes is left unchanged.',
		),
		sysctls: optional(
			list(sysctlSchema),
			'Kernel parameters to set for the Pod. A node rejects the Pod if it does not allow one of them.',
		),
		fsGroupChangePolicy: nullable(
			oneOf('OnRootMismatch', 'Always'),
			'When the owner of a volume is changed to fsGroup: Always (the default), or OnRootMismatch, if the root directory has another owner.',
		),
		seccompProfile: optional(seccompProfileSchema, 'Seccomp profile of all containers. Default Unconfined.'),
		appArmorProfile: optional(
			appArmorProfileSchema,
			'AppArmor profile of all containers. Default: that of the container runtime.',
		),
		seLinuxChangePolicy: nullable(
			oneOf('Recursive', 'MountOption'),
			'How volumes get their SELinux label. Only Recursive is supported, which relabels every file.',
		),
	},
);

/** Security settings of a Pod, which apply to all of its containers. */
export type PodSecurityContext = Infer<typeof podSecurityContextSchema>;
