import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import type { FieldError } from '../../errors/field-path.ts';
import { FieldPath } from '../../errors/field-path.ts';
import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { type ServiceAccount, serviceAccountSchema } from './schema.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: true, name: dns1123Subdomain };

/** The ServiceAccount of Pods that name none; a controller keeps one in every namespace. */
export const DEFAULT_ACCOUNT = 'default';

/** If this annotation of a ServiceAccount is true, its Pods may use only the Secrets that the account lists. */
export const ENFORCE_MOUNTABLE_SECRETS = 'kubernetes.io/enforce-mountable-secrets';

/**
 * v1 ServiceAccounts: registry definition and validation. Upstream: pkg/registry/core/serviceaccount, and
 * `ValidateServiceAccount` in pkg/apis/core/validation.
 */
export const serviceAccounts: ResourceDefinition<ServiceAccount> = {
	group: '',
	version: 'v1',
	kind: 'ServiceAccount',
	resource: 'serviceaccounts',
	singular: 'serviceaccount',
	shortNames: ['sa'],
	categories: [],
	namespaced: true,
	schema: serviceAccountSchema,
	defaults: (given) => given,
	strategy: {
		prepareForCreate: withSecretNames,
		prepareForUpdate: withSecretNames,
		validateCreate: validateServiceAccount,
		validateUpdate: (given, old) => [
			...validateMetaUpdate(given.metadata, old.metadata, META),
			...validateServiceAccount(given),
		],
		warnings: ({ metadata }, old) => {
			const isSet = ENFORCE_MOUNTABLE_SECRETS in (metadata.annotations ?? {});
			if (!isSet || ENFORCE_MOUNTABLE_SECRETS in (old?.metadata.annotations ?? {})) return [];
			return [
				`metadata.annotations[${ENFORCE_MOUNTABLE_SECRETS}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
			];
		},
		allowUnconditionalUpdate: true,
	},
	columns: [nameColumn(), ageColumn()],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

/** Keeps only the names of the referenced Secrets, which are in the account's own namespace. */
function withSecretNames(given: ServiceAccount): ServiceAccount {
	if (!given.secrets) return given;
	return { ...given, secrets: given.secrets.map(({ name }) => (name ? { name } : {})) };
}

function validateServiceAccount({ metadata }: ServiceAccount): readonly FieldError[] {
	return validateMeta(metadata, RULES, META);
}
