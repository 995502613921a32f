/** The settings from the environment, which README.md lists. */
export function readSettings(environment) {
  return {
    port: Number(environment.PORT ?? 8080),
    // The vendor's script. Tests use a stand-in for it.
    embedScript: environment.EMBED_SCRIPT ?? 'https://cdn.jsdelivr.net/npm/@qlik/embed-web-components@1/dist/index.min.js',
    tenant: environment.QLIK_TENANT ?? 'https://your-tenant.eu.qlikcloud.com',
    clientId: environment.QLIK_CLIENT_ID ?? 'your-client-id',
    appId: environment.QLIK_APP_ID ?? 'your-app-id',
    objectId: environment.QLIK_OBJECT_ID ?? 'your-chart-id',
    // In production the backend is behind HTTPS, and browsers send its cookies only there.
    secureCookies: environment.SECURE_COOKIES === 'yes',
    tokenTimeout: Number(environment.TOKEN_TIMEOUT ?? 10),
  };
}
