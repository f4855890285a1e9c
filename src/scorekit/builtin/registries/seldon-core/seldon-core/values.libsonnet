// The values of parameters. ksonnet passes on what `ks generate` got: strings, numbers, objects. "null" means not set.
{
  given(value):: value != null && value != 'null' && value != '',

  // A boolean, given as a boolean or as a string.
  flag(params, name):: (
    local value = params[name];
    if value == true || value == 'true' then true
    else if value == false || value == 'false' then false
    else error '%s is %s; it must be true or false' % [name, std.manifestJsonEx(value, '')]
  ),

  // An integer that is at least `least`; 0 if it is not set.
  count(params, name, least=0):: (
    local value = params[name];
    local number = if !$.given(value) then 0 else if std.isString(value) then std.parseInt(value) else value;
    if number >= least && number == std.floor(number) then number
    else error '%s is %s; it must be an integer of at least %d' % [name, std.manifestJsonEx(value, ''), least]
  ),

  object(params, name):: (
    local value = params[name];
    if !$.given(value) then {}
    else if std.isObject(value) then value
    else error '%s must be an object such as {"requests":{"cpu":"100m"}}' % name
  ),

  // HOST/PATH:TAG, with @DIGEST if there is a digest; `registry` replaces HOST.
  image(params, host, path, tag, digest):: (
    local registry = if $.given(params.registry) then std.rstripChars(params.registry, '/') else host;
    if $.given(digest) && !std.startsWith(digest, 'sha256:')
    then error 'the digest %s does not begin with sha256:' % digest
    else '%s/%s:%s%s' % [registry, path, tag, if $.given(digest) then '@' + digest else '']
  ),

  pullSecrets(params):: if $.given(params.imagePullSecret) then { imagePullSecrets: [{ name: params.imagePullSecret }] } else {},

  // Without empty values.
  some(object):: { [key]: object[key] for key in std.objectFields(object) if std.length(object[key]) > 0 },
}
