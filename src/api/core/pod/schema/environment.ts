/** Schemas of the environment variables of a container. */

import { atomic, boolean, type Infer, object, optional, required, string } from '../../../schema/schema.ts';
import { objectFieldSelectorSchema, resourceFieldSelectorSchema } from './reference.ts';

const selectorFields = {
	name: optional(string, "Name of the ConfigMap or Secret, in the Pod's namespace."),
	key: required(string, 'Key whose value the variable gets.'),
	optional: optional(
		boolean,
		'If true, the variable is left unset when the object or the key does not exist; otherwise the container does not start. Default false.',
	),
};

const envVarSourceSchema = object(
	'io.k8s.api.core.v1.EnvVarSource',
	"Source of an environment variable's value. Exactly one field must be set.",
	{
		fieldRef: optional(
			objectFieldSelectorSchema,
			'Takes a field of the Pod, such as metadata.name, a single label or annotation, spec.nodeName or status.podIP.',
		),
		resourceFieldRef: optional(
			resourceFieldSelectorSchema,
			'Takes a resource limit or request of a container, such as limits.cpu.',
		),
		configMapKeyRef: optional(
			atomic(
				object(
					'io.k8s.api.core.v1.ConfigMapKeySelector',
					'Reference to one key of a ConfigMap.',
					selectorFields,
				),
			),
			'Takes the value of one key of a ConfigMap.',
		),
		secretKeyRef: optional(
			atomic(
				object('io.k8s.api.core.v1.SecretKeySelector', 'Reference to one key of a Secret.', selectorFields),
			),
			'Takes the value of one key of a Secret.',
		),
		fileKeyRef: optional(
			atomic(
				object(
					'io.k8s.api.core.v1.FileKeySelector',
					'Reference to a variable in an environment file of a volume.',
					{
						volumeName: required(
							string,
							'Name of the entry in spec.volumes, an emptyDir, that contains the file.',
						),
						path: required(string, "Path of the file in the volume. It must not contain '..'."),
						key: required(string, 'Name of the variable in the file.'),
						optional: optional(
							boolean,
							'If true, the variable is left unset when the file or the key does not exist; otherwise the container does not start. Default false.',
						),
					},
				),
			),
			'Takes the value of one variable in an environment file of a volume.',
		),
	},
);

/** Source of an environment variable's value; valid ones have exactly one field. */
export type EnvVarSource = Infer<typeof envVarSourceSchema>;

/** Schema of v1.EnvVar. */
export const envVarSchema = object('io.k8s.api.core.v1.EnvVar', 'Environment variable of a container.', {
	name: required(string, 'Name of the variable. If the list contains a name twice, the later entry counts.'),
	value: optional(
		string,
		'Value of the variable. $(NAME) is replaced by the value of an earlier variable; $$(NAME) yields the text $(NAME). Default empty.',
	),
	valueFrom: optional(
		envVarSourceSchema,
		'Source of the value. Cannot be combined with a value that is not empty.',
	),
});

/** Environment variable of a container. */
export type EnvVar = Infer<typeof envVarSchema>;

const envFromReference = {
	name: optional(string, "Name of the ConfigMap or Secret, in the Pod's namespace."),
	optional: optional(
		boolean,
		'If true, an object that does not exist adds no variables; otherwise the container does not start. Default false.',
	),
};

/** Schema of v1.EnvFromSource. */
export const envFromSourceSchema = object(
	'io.k8s.api.core.v1.EnvFromSource',
	'Source of a set of environment variables: all keys of one ConfigMap or Secret.',
	{
		prefix: optional(
			string,
			'Text that is put in front of each key to form the name of the variable. Default empty.',
		),
		configMapRef: optional(
			object(
				'io.k8s.api.core.v1.ConfigMapEnvSource',
				'Reference to a ConfigMap whose keys become environment variables.',
				envFromReference,
			),
			'ConfigMap whose keys become environment variables.',
		),
		secretRef: optional(
			object(
				'io.k8s.api.core.v1.SecretEnvSource',
				'Reference to a Secret whose keys become environment variables.',
				envFromReference,
			),
			'Secret whose keys become environment variables.',
		),
	},
);

/** Source of a set of environment variables: all keys of one ConfigMap or Secret. */
export type EnvFromSource = Infer<typeof envFromSourceSchema>;
