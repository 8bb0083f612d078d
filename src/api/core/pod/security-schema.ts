import {
	boolean,
	type Infer,
	int64,
	list,
	object,
	oneOf,
	optional,
	pointer,
	required,
	string,
} from '../../meta/schema.ts';

const seLinuxOptionsSchema = object('io.k8s.api.core.v1.SELinuxOptions', 'SELinux labels.', {
	user: optional(string, 'The user label.'),
	role: optional(string, 'The role label.'),
	type: optional(string, 'The type label.'),
	level: optional(string, 'The level label.'),
});

const windowsOptionsSchema = object(
	'io.k8s.api.core.v1.WindowsSecurityContextOptions',
	'Settings for Windows.',
	{
		gmsaCredentialSpecName: pointer(string, 'Name of the credential spec.'),
		gmsaCredentialSpec: pointer(string, 'The credential spec itself.'),
		runAsUserName: pointer(string, 'The user to run as.'),
		hostProcess: optional(boolean, 'Whether it runs as a process of the host.'),
	},
);

const profileFields = {
	type: required(oneOf('Unconfined', 'RuntimeDefault', 'Localhost'), 'Which profile.'),
	localhostProfile: pointer(string, 'A profile of the node.'),
};

const seccompProfileSchema = object(
	'io.k8s.api.core.v1.SeccompProfile',
	'Which system calls are allowed.',
	profileFields,
);

const appArmorProfileSchema = object(
	'io.k8s.api.core.v1.AppArmorProfile',
	'What AppArmor allows.',
	profileFields,
);

const capabilitiesSchema = object('io.k8s.api.core.v1.Capabilities', 'Capabilities given and taken.', {
	add: optional(list(string), 'Given.'),
	drop: optional(list(string), 'Taken.'),
});

/** Schema of v1.SecurityContext. */
export const securityContextSchema = object(
	'io.k8s.api.core.v1.SecurityContext',
	'With which rights a container runs.',
	{
		capabilities: optional(capabilitiesSchema, 'Capabilities given and taken.'),
		privileged: optional(boolean, 'Whether it has all rights of the host.'),
		seLinuxOptions: optional(seLinuxOptionsSchema, 'SELinux labels.'),
		windowsOptions: optional(windowsOptionsSchema, 'Settings for Windows.'),
		runAsUser: optional(int64, 'The user id to run as.'),
		runAsGroup: optional(int64, 'The group id to run as.'),
		runAsNonRoot: optional(boolean, 'Whether running as root is refused.'),
		readOnlyRootFilesystem: optional(boolean, 'Whether its root file system can only be read.'),
		allowPrivilegeEscalation: optional(boolean, 'Whether a process may gain more rights than its parent.'),
		procMount: pointer(oneOf('Default', 'Unmasked'), 'How /proc looks.'),
		seccompProfile: optional(seccompProfileSchema, 'Which system calls are allowed.'),
		appArmorProfile: optional(appArmorProfileSchema, 'What AppArmor allows.'),
	},
);

/** With which rights a container runs. */
export type SecurityContext = Infer<typeof securityContextSchema>;

const sysctlSchema = object('io.k8s.api.core.v1.Sysctl', 'A kernel parameter.', {
	name: required(string, 'Its name.'),
	value: required(string, 'Its value.'),
});

/** Schema of v1.PodSecurityContext. */
export const podSecurityContextSchema = object(
	'io.k8s.api.core.v1.PodSecurityContext',
	'With which rights the containers of a Pod run.',
	{
		seLinuxOptions: optional(seLinuxOptionsSchema, 'SELinux labels.'),
		windowsOptions: optional(windowsOptionsSchema, 'Settings for Windows.'),
		runAsUser: optional(int64, 'The user id to run as.'),
		runAsGroup: optional(int64, 'The group id to run as.'),
		runAsNonRoot: optional(boolean, 'Whether running as root is refused.'),
		supplementalGroups: optional(list(int64), 'Further groups of the processes.'),
		supplementalGroupsPolicy: pointer(oneOf('Merge', 'Strict'), "Whether the image's groups count too."),
		fsGroup: optional(int64, 'The group that owns volumes.'),
		sysctls: optional(list(sysctlSchema), 'Kernel parameters.'),
		fsGroupChangePolicy: pointer(oneOf('OnRootMismatch', 'Always'), 'When the owner of a volume is changed.'),
		seccompProfile: optional(seccompProfileSchema, 'Which system calls are allowed.'),
		appArmorProfile: optional(appArmorProfileSchema, 'What AppArmor allows.'),
		seLinuxChangePolicy: pointer(oneOf('Recursive', 'MountOption'), 'How volumes get their SELinux label.'),
	},
);

/** With which rights the containers of a Pod run. */
export type PodSecurityContext = Infer<typeof podSecurityContextSchema>;
