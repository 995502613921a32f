'use strict';

const { authModule } = require('./lib/qlik-auth-module.js');

/** See qlik-api.d.ts. */
function register(auth, cache, options) {
  auth.registerAuthModule('tokencached', authModule(cache, options));
}

module.exports = { authModule, register };
