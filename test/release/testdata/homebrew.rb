# Imitates Homebrew: evaluates FORMULA for SYSTEM (such as "linux-intel"), downloads the file at its URL, and verifies the
# checksum. If RUN is "install", it also installs into PREFIX.
require "digest"
require "fileutils"
require "net/http"
require "open3"
require "pathname"

formula, system, PREFIX, run = ARGV
OS, CPU = system.split("-")

# The parts of Homebrew's class Formula that the formula uses. Other methods are errors.
class Formula
  class << self
    attr_reader :facts

    %i[desc homepage version license url sha256].each do |name|
      define_method(name) { |value| (@facts ||= {})[name] = value }
    end
    { on_macos: "macos", on_linux: "linux" }.each { |name, os| define_method(name) { |&block| block.call if OS == os } }
    { on_intel: "intel", on_arm: "arm" }.each { |name, cpu| define_method(name) { |&block| block.call if CPU == cpu } }
    def test(&block) = define_method(:test, &block)
  end

  # A directory into which files are installed under another name.
  class Directory < Pathname
    def install(map)
      map.each { |from, to| FileUtils.install(from, (self/to).to_s, mode: 0o755) }
    end
  end

  def bin = Directory.new("#{PREFIX}/bin")
  def doc = Directory.new("#{PREFIX}/share/doc")
  def version = self.class.facts[:version]

  def generate_completions_from_executable(program, *args, shells:)
    shells.each do |shell|
      out, status = Open3.capture2(program.to_s, *args, shell.to_s)
      abort "#{program} #{args} #{shell}: #{status}" unless status.success?
      File.write("#{PREFIX}/completion/#{shell}", out)
    end
  end

  def shell_output(command)
    out, status = Open3.capture2(command)
    abort "#{command}: #{status}" unless status.success?
    out
  end

  def assert_match(want, got)
    abort "#{want.inspect} is not in #{got.inspect}" unless got.include?(want)
  end
end

module Utils
  def self.safe_popen_read(*command)
    out, status = Open3.capture2(*command.map(&:to_s))
    abort "#{command}: #{status}" unless status.success?
    out
  end
end

require formula
facts = FnRuntime.facts
%i[desc homepage version license url sha256].each { |name| abort "#{system}: no #{name}" if facts[name].to_s.empty? }
uri = URI(facts[:url])
answer = Net::HTTP.get_response(uri)
abort "#{uri}: #{answer.code}" unless answer.code == "200"
abort "#{uri}: the checksum differs" unless Digest::SHA256.hexdigest(answer.body) == facts[:sha256]
exit unless run == "install"

FileUtils.mkdir_p(%W[#{PREFIX}/bin #{PREFIX}/completion #{PREFIX}/download])
Dir.chdir("#{PREFIX}/download") do
  File.binwrite(File.basename(uri.path), answer.body)
  FnRuntime.new.install
  FnRuntime.new.test
end
