/** With what this program introduces itself to a registry. */
export interface Credential {
	readonly username: string;
	readonly password: string;
	/** A refresh token of OAuth 2, instead of a password. */
	readonly identityToken?: string;
	/** A token that is sent to the registry as it is. */
	readonly registryToken?: string;
	/** From where it comes, for records and hints, such as `secret default/regcred`. Contains no secret. */
	readonly origin: string;
}

/** The credentials that were found for an image, the best first, and why others could not be read. */
export interface FoundCredentials {
	readonly credentials: readonly Credential[];
	/** Sentences for a hint, such as that a credential helper is not installed. */
	readonly problems: readonly string[];
}

/** Finds credentials. */
export interface CredentialSource {
	/** The credentials for a repository, such as `docker.io/library/bash` or `localhost:5000/app`. Never rejects. */
	find(repository: string): Promise<FoundCredentials>;
}

/** For public images alone. */
export const NO_CREDENTIALS: CredentialSource = {
	find: () => Promise.resolve({ credentials: [], problems: [] }),
};

/** Asks several sources; those of earlier ones are tried first. */
export function unionOfCredentials(sources: readonly CredentialSource[]): CredentialSource {
	return {
		find: async (repository) => {
			const found = await Promise.all(sources.map((source) => source.find(repository)));
			return {
				credentials: found.flatMap(({ credentials }) => credentials),
				problems: found.flatMap(({ problems }) => problems),
			};
		},
	};
}
