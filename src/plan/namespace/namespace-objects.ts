/** The objects that every namespace has: the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`. */

import type { ConfigMap } from '../../api/core/configmap/schema.ts';
import type { Namespace } from '../../api/core/namespace/schema.ts';
import { DEFAULT_ACCOUNT } from '../../api/core/serviceaccount/definition.ts';
import type { ServiceAccount } from '../../api/core/serviceaccount/schema.ts';
import { semanticEqual } from '../../api/schema/equality.ts';

/** The ConfigMap with the certificate authority of the API server, which Pods need to verify it. */
export const ROOT_CERTIFICATE_MAP = 'kube-root-ca.crt';

const DESCRIPTION_KEY = 'kubernetes.io/description';
const DESCRIPTION =
	'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** What a controller does about one object of a namespace. */
export type NamespaceObjectPlan<T> =
	| { readonly kind: 'keep'; readonly because: string }
	| { readonly kind: 'create' | 'update'; readonly object: T; readonly because: string };

/**
 * Decides about the ServiceAccount `default` of a namespace; `account` is the current one. Upstream:
 * `syncNamespace` in pkg/controller/serviceaccount/serviceaccounts_controller.go.
 */
export function planDefaultAccount(
	namespace: Namespace | undefined,
	account: ServiceAccount | undefined,
): NamespaceObjectPlan<ServiceAccount> {
	if (namespace?.status.phase !== 'Active') return INACTIVE;
	if (account) return { kind: 'keep', because: 'the account exists' };
	const metadata = { name: DEFAULT_ACCOUNT, namespace: namespace.metadata.name ?? '' };
	return {
		kind: 'create',
		object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
		because: 'the namespace has no default account',
	};
}

/** What {@link planRootCertificate} decides from. */
export interface RootCertificateSnapshot {
	readonly namespace: Namespace | undefined;
	/** The current ConfigMap {@link ROOT_CERTIFICATE_MAP} of the namespace. */
	readonly configMap: ConfigMap | undefined;
	/** The certificate of the authority, in PEM. */
	readonly certificatePem: string;
}

/**
 * Decides about the ConfigMap {@link ROOT_CERTIFICATE_MAP}. Its data must be the certificate and nothing else;
 * the annotation with the description may have another text. Upstream: `syncNamespace` in
 * pkg/controller/certificates/rootcacertpublisher/publisher.go.
 */
export function planRootCertificate({
	namespace,
	configMap,
	certificatePem,
}: RootCertificateSnapshot): NamespaceObjectPlan<ConfigMap> {
	if (namespace?.status.phase !== 'Active') return INACTIVE;
	const data = { 'ca.crt': certificatePem };
	if (!configMap) {
		const metadata = {
			name: ROOT_CERTIFICATE_MAP,
			namespace: namespace.metadata.name ?? '',
			annotations: { [DESCRIPTION_KEY]: DESCRIPTION },
		};
		const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
		return { kind: 'create', object, because: 'the namespace has no root certificate' };
	}
	const { metadata } = configMap;
	const isDescribed = Boolean(metadata.annotations?.[DESCRIPTION_KEY]);
	if (isDescribed && semanticEqual(configMap.data, data))
		return { kind: 'keep', because: 'the root certificate is published' };
	const annotations = { ...metadata.annotations, [DESCRIPTION_KEY]: DESCRIPTION };
	const object = { ...configMap, metadata: { ...metadata, annotations }, data };
	return { kind: 'update', object, because: 'the data or the description was changed' };
}

const INACTIVE = { kind: 'keep', because: 'the namespace does not exist or is being deleted' } as const;
