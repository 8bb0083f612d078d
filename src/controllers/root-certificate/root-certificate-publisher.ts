import { configMaps } from '../../api/core/configmap/definition.ts';
import type { ConfigMap } from '../../api/core/configmap/schema.ts';
import type { Namespace } from '../../api/core/namespace/schema.ts';
import { isApiError, isNamespaceTerminating } from '../../api/errors/api-error.ts';
import { DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { Controller, type ControllerContext, NO_KEYS, ownKey, watch } from '../../client/controller.ts';
import type { Informer } from '../../client/informer.ts';
import { planRootCertificate, ROOT_CERTIFICATE_MAP } from '../../plan/namespace/namespace-objects.ts';

/** The dependencies of the publisher of the root certificate. */
export interface RootCertificateOptions extends ControllerContext {
	readonly client: Client;
	readonly namespaces: Informer<Namespace>;
	readonly configMaps: Informer<ConfigMap>;
	/** The certificate of the API server's authority, in PEM. */
	readonly certificatePem: string;
}

/**
 * Keeps a ConfigMap `kube-root-ca.crt` with the certificate of the API server's authority in every active
 * namespace, and restores it if it is changed or deleted. Upstream:
 * pkg/controller/certificates/rootcacertpublisher/publisher.go. The keys are namespaces.
 */
export class RootCertificatePublisher {
	readonly #options: RootCertificateOptions;
	readonly #controller: Controller;

	constructor(options: RootCertificateOptions) {
		this.#options = options;
		this.#controller = new Controller(
			{
				name: 'root_ca_cert_publisher',
				watches: [
					watch(options.configMaps, (configMap, old) => {
						const { name, namespace = '' } = (configMap ?? old)?.metadata ?? {};
						// The namespaces queue the ConfigMaps of the start.
						return old && name === ROOT_CERTIFICATE_MAP ? [namespace] : NO_KEYS;
					}),
					watch(options.namespaces, ownKey),
				],
				workers: 1,
				backoff: { baseMs: 5, capMs: 1_000_000 },
				reconcile: (name) => this.#reconcile(name),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or an informer is stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #reconcile(name: string): Promise<Outcome> {
		const { client, namespaces, configMaps: published, certificatePem } = this.#options;
		const configMap = published.get(name, ROOT_CERTIFICATE_MAP);
		const plan = planRootCertificate({ namespace: namespaces.get('', name), configMap, certificatePem });
		if (plan.kind === 'keep') return DONE;
		const target = client.resource(configMaps, name);
		try {
			if (plan.kind === 'create') await target.create(plan.object);
			else await target.update(plan.object);
		} catch (error) {
			// The namespace is being deleted or is gone. A Conflict or AlreadyExists is retried from the newer state.
			if (!isApiError(error, 'NotFound') && !isNamespaceTerminating(error)) throw error;
		}
		return DONE;
	}
}
